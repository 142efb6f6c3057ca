import { CLEANUP, type Overview, type OverviewRow } from '@archiver/core'
import { ArchiverDuty } from './archiver-duty.js'
import type { Desk } from './desk.js'
import type { Duty } from './scheduler.js'

/** Work for a row of the status table that is no archive's. */
export interface Chore extends Duty {
  isDue(row: OverviewRow): boolean
  /** Settings have changed. */
  reset(): void
}

/** A duty for each archiver that is turned on. */
export class Duties {
  readonly #desk: Desk
  readonly #cleaner: Chore
  readonly #archivers = new Map<string, ArchiverDuty>()

  constructor(desk: Desk, cleaner: Chore) {
    this.#desk = desk
    this.#cleaner = cleaner
  }

  /** Those that are due, by what there is now. */
  due({ archivers, newest }: Overview): Duty[] {
    for (const name of this.#archivers.keys()) {
      if (!archivers.some(({ archiver }) => archiver === name)) this.#archivers.delete(name)
    }
    return archivers.flatMap((row): Duty[] => {
      if (row.archiver === CLEANUP) return this.#cleaner.isDue(row) ? [this.#cleaner] : []
      const duty = this.#dutyOf(row.archiver)
      return duty.isDue(row, newest?.id ?? 0n) ? [duty] : []
    })
  }

  /** Settings have changed. */
  reset(): void {
    for (const duty of [...this.#archivers.values(), this.#cleaner]) duty.reset()
  }

  #dutyOf(name: string): ArchiverDuty {
    const duty = this.#archivers.get(name) ?? new ArchiverDuty(name, this.#desk)
    this.#archivers.set(name, duty)
    return duty
  }
}
