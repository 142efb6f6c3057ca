import type { ArchiveReader } from './archive-reader.js'
import type { ArchiverError } from './errors.js'

/**
 * The words of this project, each used for one thing only.
 *
 * - **source**: the table of a database that the rows come from (`log_scores`).
 * - **archive**: where rows are kept for good: a folder of files, a table of another database.
 * - **adapter**: the code that writes one kind of archive; it implements {@link Archiver}.
 * - **archiver**: one configured adapter, named by its row in the status table.
 * - **mark**: the id of the last row an archiver has stored; every row at or below it is in the archive.
 * - **batch**: a planned range of ids `(afterId, upToId]`, stored as a whole under an identity of its own.
 * - **chunk**: some thousand rows of a batch as columns; what flows from the source to an adapter.
 * - **lag**: how far the mark is behind the newest row.
 */

/** One measurement, as plain values. The row form of {@link LogScoreChunk}, for tools and tests. */
export interface LogScore {
  /** 0 to 2^64-1. */
  readonly id: bigint
  /** Null where the row was not written by a monitor. 0 to 2^32-1. */
  readonly monitorId: number | null
  /** 0 to 2^32-1. */
  readonly serverId: number
  /** Time of the measurement in whole seconds since 1970-01-01 UTC; 0 to 2^32-1 (2106-02-07). */
  readonly tsSeconds: number
  readonly score: number
  readonly step: number
  /** Clock offset in seconds. */
  readonly offset: number | null
  /** Round-trip time in microseconds; the column is signed. */
  readonly rtt: number | null
  /** Leap indicator 1 to 3. A leap of 0 is null: the archives have always stored it so. */
  readonly leap: number | null
  /** Never empty: an empty error is null. */
  readonly error: string | null
  readonly warning: string | null
  /**
   * The column `attributes` itself, letter by letter; null for NULL. Absent where only what it means is known, which is the
   * three columns above.
   */
  readonly json?: string | null
}

/** What the JSON column `attributes` holds, already normalised (see {@link LogScore}). */
export type Attributes = Pick<LogScore, 'leap' | 'error' | 'warning' | 'json'>

/** A column of numbers with fractions. */
export type FloatColumn = 'score' | 'step' | 'offset'

/**
 * Rows as columns: the currency between source and adapter.
 *
 * Arrays may be longer than `rows`; only the first `rows` entries count. The source reuses them: a chunk is valid
 * **until the next one is asked for**, so copy what must live longer. A value under a null flag of 1 is 0.
 * Null flags are one byte a row, not bits: column formats take them as they are.
 */
export interface LogScoreChunk {
  /** At least 1. */
  readonly rows: number
  /** Ascending, also from chunk to chunk of a batch. */
  readonly id: BigUint64Array
  readonly monitorId: Uint32Array
  readonly monitorIdNull: Uint8Array
  readonly serverId: Uint32Array
  readonly tsSeconds: Uint32Array
  readonly score: Float64Array
  readonly step: Float64Array
  readonly offset: Float64Array
  readonly offsetNull: Uint8Array
  readonly rtt: Int32Array
  readonly rttNull: Uint8Array
  /** Index into `dictionary`. */
  readonly attributes: Uint32Array
  /** Each distinct `attributes` value of the chunk once, parsed once. */
  readonly dictionary: readonly Attributes[]
  /** Entries of `dictionary` whose text has keys that no archive keeps: index to keys. Absent for none, or where the text is kept. */
  readonly unknownKeys?: ReadonlyMap<number, readonly string[]>
  /** Columns of the source that no archive keeps. Absent for none. */
  readonly unknownColumns?: readonly string[]
  /** Of a chunk that an archive gives back: it holds the source's rows as they were, and no conversion has changed them. */
  readonly exact?: boolean
  /**
   * Columns that come from 32-bit floats: whoever prints them needs no more digits than tell a value from its
   * neighbours of 32 bits. Absent for none.
   */
  readonly float32?: readonly FloatColumn[]
}

/** When a batch is due and how large it may be. The Go program's min size, max size and interval. */
export interface BatchPolicy {
  /** No batch is started for fewer waiting rows. At least 1. */
  readonly minRows: number
  /** At least 1. */
  readonly maxRows: number
  /** Least time between the last move of the mark and the next pass. 0 or more. */
  readonly intervalMs: number
}

/** A range of ids that is stored as a whole. It is on record in the ledger before the first byte is sent. */
export interface PlannedBatch {
  /** From the batch table; unique for the source table, for ever. */
  readonly id: bigint
  readonly archiver: string
  readonly table: string
  /** Exclusive: the mark when the batch was planned, 0 for none. */
  readonly afterId: bigint
  /** The lowest id waiting when the batch was planned; `upToId - firstId + 1` bounds the rows. */
  readonly firstId: bigint
  /** Inclusive. */
  readonly upToId: bigint
}

/** What an adapter reports of a batch it has stored. */
export interface StoreResult {
  /** Rows written by this call. */
  readonly rows: number
  /** Bytes written or sent by this call. */
  readonly bytes: number
  /** Where the rows are, in the archive's own terms: a file name, an object name, a job id, a query id. */
  readonly identity: string
  /** Values that the archive's form could not hold and the documented conversion changed: name to count. */
  readonly conversions?: Readonly<Record<string, number>>
}

/** What an archive already holds of a batch's range. */
export type StoredRows = (
  | { readonly kind: 'none' }
  /** Complete: `result` is what {@link Archiver.store} would have answered. At least one row. */
  | { readonly kind: 'all'; readonly result: StoreResult }
  /** Exactly these ids, ascending. */
  | { readonly kind: 'some'; readonly ids: BigUint64Array }
) & {
  /**
   * Rows that the archive holds beside those, and that were deleted from the source after they had been stored. Absent for
   * none.
   */
  readonly deletedRows?: number
}

/** Leave to go on. Whoever runs an adapter decides what it means (a lock still held, no signal received). */
export interface Permit {
  /** Aborts when waiting must end. Its reason is an Error. */
  readonly signal: AbortSignal
  /** Throws when the work must stop. Adapters call it before every send, rename and commit. */
  check(): void
}

/** The source's rows of a batch, for an adapter that compares them with what the archive holds. */
export interface BatchSource {
  /** The rows, from the first. Each call reads them again. */
  read(): AsyncIterable<LogScoreChunk>
  /**
   * Which of these ids a deletion from the source does not explain. Adapters call it through `RowsNotInSource`.
   *
   * @param ids - rows that the archive holds and {@link read} did not return; ascending.
   */
  unexplained(ids: readonly bigint[]): Promise<readonly bigint[]>
}

/** A right that an archive's account should have, in the archive's own words. */
export interface ArchiveRight {
  readonly right: string
  /** What does not work, or costs more, where it is missing. */
  readonly without: string
}

/**
 * One archive. An adapter writes rows and tells what it holds; marks, locks and the source's database are not its business.
 * Calls never overlap: one at a time, `prepare` first.
 */
export interface Archiver extends AsyncDisposable {
  /** The name of its row in the status table. */
  readonly name: string
  readonly batch: BatchPolicy
  /**
   * A quick look, without connecting anywhere, whether the settings can work: a pass that has nothing to store tells of
   * a missing folder all the same. Absent where there is nothing to look at.
   */
  check?(): Promise<void>
  /**
   * The statements by which {@link prepare} would make the archive's table, to be shown beforehand; empty where the table
   * is there and fits. Changes nothing, needs no lock. Absent where an archive has no tables.
   *
   * @throws ArchiverError where a table is there that does not fit.
   */
  preparation?(table: string): Promise<readonly string[]>
  /** The rights that the account of the archive needs for `table`, for people. Nothing is asked. Absent where there are none. */
  rights?(table: string): readonly ArchiveRight[]
  /**
   * Makes the archive ready for `table`: creates what is missing, refuses what does not fit, removes what an
   * interrupted try left behind. Called with the lock held. Loses nothing, may be repeated.
   */
  prepare(table: string): Promise<void>
  /**
   * Writes the chunks' rows. Durable when it resolves. A rejection may leave anything behind: {@link stored} tells
   * what. The same batch may be stored again only for rows that `stored` did not find. A batch whose range holds no
   * row (no chunk comes) resolves with 0 rows and leaves nothing.
   *
   * @throws RowError before the row is written, when a value fits no documented conversion.
   * @throws ArchiverError for anything else, with a hint.
   */
  store(batch: PlannedBatch, chunks: AsyncIterable<LogScoreChunk>, permit: Permit): Promise<StoreResult>
  /**
   * What the archive holds of this batch's rows, after everything in flight has settled. Never guesses: throws when
   * it cannot tell, or when the archive holds rows of the range that the source does not have and has not deleted.
   */
  stored(batch: PlannedBatch, source: BatchSource, permit: Permit): Promise<StoredRows>
  /**
   * What the operator should know and that stops nothing, each with its code and a hint: what has come up since the last
   * call. Asked after {@link prepare} and after rows were stored. Absent where there never is anything.
   */
  takeWarnings?(): readonly ArchiverError[]
  /**
   * Milliseconds that all calls of {@link store} so far have spent on turning rows into the archive's form: for whoever
   * asks where the time goes. Absent where it is not counted.
   */
  readonly encodedMs?: number
  /** Reads the archive back: for `verify`, `restore` and before rows are deleted. Absent where it cannot be asked. */
  readonly reader?: ArchiveReader
  close(): Promise<void>
}
