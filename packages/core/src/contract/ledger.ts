import type { PlannedBatch } from './batch.js'

/** A row of the status table: an archiver that is turned on. */
export interface ArchiverStatus {
  readonly archiver: string
  /** Null: it has stored nothing yet. */
  readonly mark: bigint | null
  /** Time since the mark last moved, by the server's clock. */
  readonly ageMs: number
}

/**
 * What is on record of a finished batch beside its plan: the catalogue entry of those rows. They are the rows that the source
 * had when they were last read for the batch. Rows that were deleted from the source before that are not counted, though
 * the archive may hold them.
 */
export interface BatchRecord {
  readonly rows: number
  readonly firstId: bigint
  readonly lastId: bigint
  readonly minTsSeconds: number
  readonly maxTsSeconds: number
  /** SHA-256 over the ids, 8 bytes each, little-endian, ascending. */
  readonly idHash: Buffer
  readonly bytes: number
  readonly identity: string
}

/** A compare-and-set of a mark; 0 stands for no mark. */
export interface MarkMove {
  readonly from: bigint
  /** Never below `from`. */
  readonly to: bigint
}

/** Marks and batches, durable. Every change is made while the lock is held. */
export interface Ledger {
  /** All archivers, in the order in which a pass serves them. */
  status(): Promise<readonly ArchiverStatus[]>
  /** The batch that was planned and neither finished nor given up. At most one an archiver. */
  planned(archiver: string): Promise<PlannedBatch | null>
  /** Rows that an operator has taken out for this archiver, ascending. */
  skipped(archiver: string): Promise<BigUint64Array>
  plan(batch: Omit<PlannedBatch, 'id' | 'table'>): Promise<PlannedBatch>
  /** Ends a planned batch before a row that cannot be stored. */
  shorten(batch: PlannedBatch, upToId: bigint): Promise<PlannedBatch>
  /** Takes back a plan of which no row was stored. */
  withdraw(batch: PlannedBatch): Promise<void>
  /** Files a planned batch as overtaken: another program has moved the mark past its start. */
  supersede(batch: PlannedBatch): Promise<void>
  /**
   * Moves the mark and files the batch as done: both or neither. A mark points to a row. Where the row `move.to` has been
   * deleted from the source, the mark moves to the last row before it that is left, or stays where it is.
   *
   * @returns where the mark is now.
   * @throws ArchiverError (MARK_MOVED) when the mark is not at `move.from`.
   */
  commit(batch: PlannedBatch, record: BatchRecord, move: MarkMove): Promise<bigint>
  /** The highest id that the archiver's catalogue knows to be stored; 0 for none. */
  highPoint(archiver: string): Promise<bigint>
  /** The highest id of a row that the cleaner has deleted; 0 for none. Rows below may have been kept. */
  deletedUpTo(): Promise<bigint>
  /** Notes that rows up to a mark were stored by another program, so that {@link highPoint} knows. */
  noteForeign(archiver: string, range: { readonly afterId: bigint; readonly upToId: bigint }): Promise<void>
  /** The first finished batch with a row after `mark`; null where the catalogue has none. */
  doneAfter(archiver: string, mark: bigint): Promise<PlannedBatch | null>
  /** Makes a finished batch a planned one again, to be checked. */
  reopen(batch: PlannedBatch): Promise<void>
}
