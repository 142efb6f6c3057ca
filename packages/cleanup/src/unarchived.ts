import {
  type Acknowledged,
  type ArchiveReader,
  type CleanupSource,
  type IdRange,
  NameCounts,
  unknownKeys,
} from '@archiver/core'
import type { Blocked } from './blocked.js'
import type { Span } from './decide.js'

export interface UnarchivedOptions {
  readonly table: CleanupSource
  readonly acknowledged: Acknowledged
  /** Rows with a time before this, in UTC, are old enough. */
  readonly cutoff: () => string
  /** The readers of the archives that can be asked, by the names of their archivers. */
  readonly readers: (archivers: readonly string[]) => Promise<readonly ArchiveReader[]>
  readonly signal: AbortSignal
}

/** Finds what rows hold that no archive keeps, before they are deleted. */
export class UnarchivedCheck {
  private readonly options: UnarchivedOptions
  private columns: Promise<readonly string[]> | undefined

  constructor(options: UnarchivedOptions) {
    this.options = options
  }

  /** @returns what the old rows of the span would lose for good; null for nothing. */
  async check({ slices }: Span, archivers: readonly string[]): Promise<Blocked | null> {
    const { acknowledged, table } = this.options
    if (acknowledged === 'ok') return null
    this.columns ??= table.unknownColumns()
    const columns = (await this.columns).filter((name) => !acknowledged.includes(name))
    const old = slices.filter(({ oldRows }) => oldRows > 0)
    if (columns.length > 0) {
      return { reason: 'unarchived', columns, keys: [], rows: old.reduce((rows, { oldRows }) => rows + oldRows, 0) }
    }
    for (const slice of old) {
      const found = await this.keysIn(slice, acknowledged)
      if (found === null || (await this.isKept(slice, found.ids, archivers))) continue
      return { reason: 'unarchived', columns, keys: Object.keys(found.keys), rows: found.ids.size }
    }
    return null
  }

  private async keysIn(range: IdRange, acknowledged: readonly string[]) {
    const ids = new Set<bigint>()
    const keys = new NameCounts()
    for (const { id, text } of await this.options.table.attributes(range, this.options.cutoff())) {
      const names = keysOf(text).filter((name) => !acknowledged.includes(name))
      if (names.length > 0) ids.add(id)
      for (const name of names) keys.add(name, 1)
    }
    return ids.size === 0 ? null : { ids, keys: keys.toRecord() }
  }

  /** Whether one of the archives holds the texts of all these rows letter by letter. */
  private async isKept(range: IdRange, ids: ReadonlySet<bigint>, archivers: readonly string[]): Promise<boolean> {
    const { table, signal } = this.options
    for (const reader of await this.options.readers(archivers)) {
      const missing = new Set(ids)
      for await (const { rows, id, exact, dictionary, attributes } of reader.read(table.name, range, signal)) {
        if (exact !== true) continue
        for (let i = 0; i < rows; i++) if (dictionary[attributes[i]!]?.json !== undefined) missing.delete(id[i]!)
      }
      if (missing.size === 0) return true
    }
    return false
  }
}

/** A text that is not a JSON object was never archived: it stops its archiver, or was skipped. */
function keysOf(text: string): readonly string[] {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (unknownKeys(value) ?? []) : []
  } catch {
    return []
  }
}
