import type { OverviewRow } from '@archiver/core'
import {
  type Acknowledged,
  NameCounts,
  type TableWarning,
  type Unarchived,
  unacknowledged,
  unknownKeyWarnings,
} from '@archiver/core'
import { stampWarnings } from '@archiver/core/engine'

/** What is to be said of the table: from MySQL, from the stamps of the status table, and from the rows that were archived. */
export class Warnings {
  #ofTable: readonly TableWarning[] = []
  #ofStamps: readonly TableWarning[] = []
  #keys = new NameCounts()
  readonly #said = new Set<string>()

  sawTable(warnings: readonly TableWarning[]): void {
    this.#ofTable = warnings
  }

  sawStamps(rows: readonly OverviewRow[]): void {
    this.#ofStamps = stampWarnings(rows)
  }

  /** Of a batch that was archived. */
  archived({ keys }: Unarchived): void {
    this.#keys.addAll(keys)
  }

  all(acknowledged: Acknowledged | undefined): readonly TableWarning[] {
    const left = unacknowledged({ columns: {}, keys: this.#keys.toRecord() }, acknowledged)
    return [...this.#ofTable, ...this.#ofStamps, ...(left === null ? [] : unknownKeyWarnings(left.keys))]
  }

  /** Those of the table and the stamps that were not returned before. Figures in a message do not make it another one. */
  fresh(): readonly TableWarning[] {
    return [...this.#ofTable, ...this.#ofStamps].filter(({ code, message }) => {
      const key = `${code} ${message.replace(/\d+/g, '')}`
      return !this.#said.has(key) && this.#said.add(key)
    })
  }
}
