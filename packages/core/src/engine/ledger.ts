import type { PlannedBatch } from '../types.js'

/** A row of the status table: an archiver that is turned on. */
export interface ArchiverStatus {
  readonly archiver: string
  /** Null: it has stored nothing yet. */
  readonly mark: bigint | null
  /** Time since the mark last moved, by the server's clock. */
  readonly ageMs: number
}

/** What is on record of a finished batch beside its plan: the catalogue entry of those rows. */
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

/** Marks and batches, durable. Every change is made while the lock is held. */
export interface Ledger {
  /** All archivers, in the order in which a pass serves them. */
  status(): Promise<readonly ArchiverStatus[]>
  /** The batch that was planned and neither finished nor given up. At most one an archiver. */
  planned(archiver: string): Promise<PlannedBatch | null>
  plan(batch: Omit<PlannedBatch, 'id' | 'table'>): Promise<PlannedBatch>
  /** Ends a planned batch before a row that cannot be stored. */
  shorten(batch: PlannedBatch, upToId: bigint): Promise<PlannedBatch>
  /** Takes back a plan of which no row was stored. */
  withdraw(batch: PlannedBatch): Promise<void>
  /**
   * Moves the mark from `batch.afterId` to the last row and files the batch as done: both or neither.
   *
   * @throws ArchiverError (MARK_MOVED) when the mark is not where it was when the batch was planned.
   */
  commit(batch: PlannedBatch, record: BatchRecord): Promise<void>
}
