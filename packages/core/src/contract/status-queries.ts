import type { ArchiverStatus } from './ledger.js'
import type { Acknowledged, TableWarning } from './unarchived.js'

/** What there is to do for all archivers, at one moment. */
export interface Overview {
  /** In the order of the status table, the cleaner included. */
  readonly archivers: readonly OverviewRow[]
  readonly newest: NewestSourceRow | null
}

export interface OverviewRow extends ArchiverStatus {
  /** Whether a batch is planned and not finished. */
  readonly unfinished: boolean
}

export interface NewestSourceRow {
  readonly id: bigint
  /** Seconds since 1970 UTC; null for a time that is none. */
  readonly tsSeconds: number | null
}

/** The last batch that an archiver has finished. */
export interface FinishedBatch {
  readonly id: bigint
  readonly rows: number
  readonly bytes: number
  readonly identity: string
  /** From its plan to its commit. */
  readonly elapsedMs: number
  /** Milliseconds since 1970. */
  readonly doneAtMs: number
}

/** The connections of a pool. */
export interface PoolState {
  readonly open: number
  readonly idle: number
  /** How many callers wait for a connection. */
  readonly waiting: number
}

/** Cheap queries for the status: none reads more than a few rows. All throw ArchiverError. */
export interface StatusQueries {
  /** The marks of all archivers and the newest row. */
  look(): Promise<Overview>
  /**
   * How long the oldest row behind each mark has been waiting, in milliseconds, by its own time and the server's clock;
   * null for a time that is none. Archivers behind whose marks there is no row are left out.
   */
  oldestWaiting(
    marks: readonly Pick<ArchiverStatus, 'archiver' | 'mark'>[],
  ): Promise<ReadonlyMap<string, number | null>>
  /** The last finished batch of each archiver. */
  lastBatches(archivers: readonly string[]): Promise<ReadonlyMap<string, FinishedBatch>>
  /** How many rows an operator has taken out, by archiver. */
  skippedRows(): Promise<ReadonlyMap<string, number>>
  /** The oldest time in the table, in seconds since 1970; null for none. */
  oldestTsSeconds(): Promise<number | null>
  /** What the operator should know of the table itself. */
  tableWarnings(acknowledged?: Acknowledged): Promise<readonly TableWarning[]>
}
