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
   * three columns above. An archive that gives it back keeps it for every row, and byte for byte: order of keys, white space,
   * unknown keys and escapes included.
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
  /**
   * Of a chunk that an archive gives back: it holds the source's rows as they were, and no conversion has changed them. Every
   * column then equals the source's bit for bit, a null `monitorId` is null and not 0, and {@link LogScore.json} is present.
   */
  readonly exact?: boolean
  /**
   * Columns that come from 32-bit floats: whoever prints them needs no more digits than tell a value from its
   * neighbours of 32 bits. Absent for none.
   */
  readonly float32?: readonly FloatColumn[]
}
