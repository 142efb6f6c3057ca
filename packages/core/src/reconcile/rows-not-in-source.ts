import type { BatchSource, StoredRows } from '../contract/batch.js'
import type { LogScoreChunk } from '../contract/log-score.js'

/** Ids that are asked about in one query of the source. */
const IDS_PER_QUERY = 1_000
/** Rows that an error names. */
const MAX_NAMED_ROWS = 5

/**
 * A {@link BatchSource} over what `read` returns, for tools and tests: rows are as they were read.
 *
 * @param deletedIds - rows that the source has deleted; default none.
 */
export function batchSourceFrom(
  read: () => AsyncIterable<LogScoreChunk>,
  deletedIds: readonly bigint[] = [],
): BatchSource {
  return { read, unexplained: async (ids) => ids.filter((id) => !deletedIds.includes(id)) }
}

/** The part of {@link StoredRows} that counts deleted rows. */
export function deletedRowsOf(deletedRows: number): Pick<StoredRows, 'deletedRows'> {
  return deletedRows === 0 ? {} : { deletedRows }
}

/** Counts rows and remembers the first few by name, for an error. */
export class NamedRows {
  count = 0
  readonly #names: string[] = []

  add(name: string): void {
    if (this.#names.length < MAX_NAMED_ROWS) this.#names.push(name)
    this.count++
  }

  /** `3 rows (id 7, 8, 9)` */
  toString(): string {
    const more = this.count > this.#names.length ? ', …' : ''
    return `${this.count} row${this.count === 1 ? '' : 's'} (id ${this.#names.join(', ')}${more})`
  }
}

/**
 * The rows of a batch's range that an archive holds and the source does not return, for `Archiver.findStored`. Every adapter
 * judges them with this class: rows that the source has deleted are counted, all others are named. Memory is bounded.
 */
export class RowsNotInSource {
  /** Rows that were deleted from the source after they had been stored. Complete after {@link settle}. */
  deletedRows = 0
  /** Rows that no deletion explains. Complete after {@link settle}. */
  readonly foreign = new NamedRows()
  readonly #source: BatchSource
  #ids: bigint[] = []

  constructor(source: BatchSource) {
    this.#source = source
  }

  /** Notes a row that the source did not return. */
  async add(id: bigint): Promise<void> {
    this.#ids.push(id)
    if (this.#ids.length >= IDS_PER_QUERY) await this.settle()
  }

  /** Notes a row that the source has with other values; `difference` says which. */
  addDifferent(id: bigint, difference: string): void {
    this.foreign.add(`${id} (${difference})`)
  }

  /** Judges all rows noted so far. */
  async settle(): Promise<void> {
    const ids = this.#ids
    this.#ids = []
    if (ids.length === 0) return
    const unexplained = await this.#source.unexplained(ids)
    for (const id of unexplained) this.foreign.add(`${id}`)
    this.deletedRows += ids.length - unexplained.length
  }
}
