import type { ErrorPlace } from './errors.js'
import type { LogScoreChunk } from './log-score.js'

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
  /**
   * Where the rows are, in the archive's own terms: a file name, an object name, a job id, a query id. One name has at
   * most 1,024 characters; several are a list with `, ` between them, so that no name holds one. Of a longer list the ledger
   * keeps the names that fit. {@link Archiver.findStored} gives the same text as
   * `store` did for a batch that is stored as a whole. Empty for no rows.
   */
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

/** Where an error of a batch happened. */
export function placeOf({ archiver, table, afterId, upToId }: PlannedBatch, operation?: string): ErrorPlace {
  return { ...(operation === undefined ? {} : { operation }), archiver, table, afterId, upToId }
}
