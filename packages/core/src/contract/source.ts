import type { IdRange, TimeSpan } from './archive-reader.js'
import type { LogScoreChunk } from './log-score.js'

/** A range of ids of the source table. */
export type SourceRange = IdRange

/** The source table, as the engine sees it. */
export interface Source {
  /** The newest committed id; null for an empty table. */
  maxId(): Promise<bigint | null>
  /** The lowest id of the range; null when it holds none. */
  firstId(range: SourceRange): Promise<bigint | null>
  /** The number of rows of the range, counted no further than `limit`. */
  countUpTo(range: SourceRange, limit: number): Promise<number>
  /** The id of the next row that will be inserted: every id below it has been handed out. */
  nextId(): Promise<bigint>
  /** Those of these ids that a row has now. */
  existingIds(ids: readonly bigint[]): Promise<readonly bigint[]>
  /** From the oldest to the newest measurement of the table; null where that is not known. */
  timeSpan(): Promise<TimeSpan | null>
  /** By how much ids rise from row to row: 1, or more where several servers share the ids. */
  idStep(): Promise<bigint>
  /**
   * The first of these empty ranges in which there is a row after all, or an uncommitted one; null where there is none.
   * Answers at once, whatever other transactions do.
   */
  firstOpenHole(holes: readonly SourceRange[]): Promise<SourceRange | null>
  /**
   * The rows of the range in ascending order of id. Chunks are valid until the next is asked for.
   *
   * @param soonUpToId - rows after the range and up to here will probably be asked for next: they may be read already.
   * @param skipped - ids, ascending, of rows that the caller leaves out. One that no chunk can hold is passed on all the
   * same, so that it does not look like a gap: its id is right, and every other column is 0.
   * @throws RowError for any other row of the range that no chunk can hold, after all rows before it were passed on.
   */
  read(range: SourceRange, soonUpToId?: bigint, skipped?: BigUint64Array): AsyncIterable<LogScoreChunk>
}
