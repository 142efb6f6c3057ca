import type { LogScoreChunk } from '../types.js'

/** A range of ids of the source table: `(afterId, upToId]`. */
export interface SourceRange {
  readonly afterId: bigint
  readonly upToId: bigint
}

/** The source table, as the engine sees it. */
export interface Source {
  /** No row at or below this id will appear any more; null for an empty table. */
  settledMaxId(): Promise<bigint | null>
  /** The lowest id of the range; null when it holds none. */
  firstId(range: SourceRange): Promise<bigint | null>
  /** The number of rows of the range, counted no further than `limit`. */
  countUpTo(range: SourceRange, limit: number): Promise<number>
  /**
   * The rows of the range in ascending order of id. Chunks are valid until the next is asked for.
   *
   * @throws RowError for a row that no chunk can hold; the chunks before it are whole.
   */
  read(range: SourceRange): AsyncIterable<LogScoreChunk>
}
