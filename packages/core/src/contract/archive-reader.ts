import type { LogScoreChunk } from './log-score.js'

/** A range of ids: `(afterId, upToId]`. */
export interface IdRange {
  /** Exclusive. */
  readonly afterId: bigint
  /** Inclusive. */
  readonly upToId: bigint
}

/** Whole seconds since 1970-01-01 UTC, 0 to 2^32-1; both ends included. */
export interface TimeSpan {
  readonly fromSeconds: number
  readonly toSeconds: number
}

/** A range of ids, and when its rows were measured, as far as that is known. */
export interface RowRange extends IdRange {
  /**
   * Every row that the source has in the range was measured within one of these spans; ascending. An archive that has no
   * key on the id then reads the days of these spans, and one more on either side, instead of all of them: a row of the
   * range that it holds at any other time is left out. Empty or undefined: all days.
   */
  readonly times?: readonly TimeSpan[] | undefined
}

/** Which rows of a range are wanted: those for which everything that is given holds. */
export interface ScanQuery extends IdRange {
  /** 0 to 2^32-1. */
  readonly serverId?: number | undefined
  /** 0 to 2^32-1; 0 for the rows that no monitor wrote. */
  readonly monitorId?: number | undefined
  /** First second of the measurement, since 1970-01-01 UTC. */
  readonly fromSeconds?: number | undefined
  /** Last second of the measurement; inclusive. */
  readonly toSeconds?: number | undefined
  /** Most rows, those with the lowest ids; at least 1. All of them by default. */
  readonly limit?: number | undefined
  /**
   * A row was measured at most so long before or after the rows next to it in the order of ids; a day by default. Files
   * say when their first row was measured and nothing of the others: this decides which of them are opened for a time.
   */
  readonly slackSeconds?: number | undefined
}

/**
 * What the rows of a range amount to. Where all three are equal, both sides hold the same rows equally often: a row that
 * is missing and another that is doubled do not cancel out.
 */
export interface RangeDigest {
  readonly rows: bigint
  /** Of all ids, modulo 2^64. */
  readonly idSum: bigint
  /**
   * Exclusive or, over all rows, of `((id + server_id * 1000003 + ts * 8191) % 2147483647) * 2654435761` with `ts` in
   * seconds. Everything that keeps rows can compute it on its own: no step exceeds 2^63 for ids up to 2^62.
   */
  readonly hashXor: bigint
}

/**
 * What an archive holds, read back. Needs no lock, changes nothing, and may be asked before and without `prepare`.
 * Memory is bounded whatever the range.
 */
export interface ArchiveReader {
  /**
   * How the archive keeps its rows. `files`: in files or objects, each read as a whole and each unreadable on its own.
   * `table`: in one table, which a query may narrow down; an error of a query says nothing about the rows.
   */
  readonly layout: 'files' | 'table'
  /** Computed where the rows are, if that is possible. A missing table or folder holds no rows. */
  digest(table: string, range: RowRange, signal: AbortSignal): Promise<RangeDigest>
  /**
   * The rows of the range in ascending order of id; a row that is there twice comes twice, one after the other. Chunks
   * are valid until the next is asked for. What the archive's form could not hold is as it was stored.
   *
   * @throws ArchiverError that names the file, object or table which cannot be read.
   */
  read(table: string, range: RowRange, signal: AbortSignal): AsyncIterable<LogScoreChunk>
  /**
   * Those rows of the range that the query wants, as {@link read} gives them. What does not match is left out where the
   * rows are: in a condition of the statement, or before a row of a file is decoded any further; files that cannot hold
   * a row of the query are not opened. Memory is bounded however many rows match.
   *
   * @throws ArchiverError as {@link read} does.
   */
  scan(table: string, query: ScanQuery, signal: AbortSignal): AsyncIterable<LogScoreChunk>
  /**
   * Rows of the source as {@link read} gives them back once they are stored: the documented conversions, column by
   * column. The answer is valid until the next call, the argument stays as it is. Absent where there is no conversion.
   * They do not apply to chunks that say of themselves that they are exact.
   */
  applyConversions?(chunk: LogScoreChunk): LogScoreChunk
  /** What a row has lost once it was stored in this archive and read back, in words for people. Absent where that is nothing. */
  readonly losses?: readonly string[]
  /**
   * Ids of the range, ascending, after each of which another file or object begins: one digest costs least between two
   * of them, and no less for half of that. Absent where the rows are not kept in such pieces.
   */
  splitPoints?(table: string, range: IdRange, signal: AbortSignal): Promise<bigint[]>
  /**
   * Which of these batch identities ({@link StoreResult.identity}) are no longer there as such. Absent where an identity
   * is no thing that can be looked for.
   */
  missingFiles?(table: string, identities: readonly string[], signal: AbortSignal): Promise<string[]>
}
