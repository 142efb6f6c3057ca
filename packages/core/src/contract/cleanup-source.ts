import type { IdRange, RangeDigest } from './archive-reader.js'
import type { ArchiverError } from './errors.js'
import type { Lease } from './lease.js'
import type { SourceDigest } from './verify-source.js'

/** The cleaner's own row in the status table. */
export const CLEANUP = 'cleanup'

/** Ids of one transaction at most. */
export const RANGE_IDS = 5_000n

/** What the control tables say about who still needs which rows. */
export interface CleanupMarks {
  /** All archivers but the cleaner, configured here or not. */
  readonly marks: readonly { readonly archiver: string; readonly mark: bigint | null }[]
  /** Batches that are planned and not finished: the engine reads the rows of their ranges again. */
  readonly unfinished: readonly { readonly archiver: string; readonly afterId: bigint }[]
  /** Why somebody has paused the cleaner; null where nobody has. */
  readonly hold: string | null
  /** The server's clock, milliseconds since 1970. */
  readonly serverMs: number
}

/** Only ids below this may be deleted, because of this archiver. */
export interface CleanupLimit {
  readonly belowId: bigint
  readonly archiver: string
}

/** The end of the run before this one, by the cleaner's row in the status table. */
export interface LastRun {
  readonly ageMs: number
  readonly full: boolean
}

/** What the source has in a range of at most {@link RANGE_IDS} ids. */
export interface Slice extends IdRange {
  readonly digest: RangeDigest
  /** Rows that are old enough, and that may be deleted. */
  readonly oldRows: number
  /** Rows that are old enough, and to which a row of another table points: they stay. */
  readonly keptRows: number
  /** Of these, those that each reference keeps, in the order of {@link CleanupSource.references}; some may keep the same row. */
  readonly keptFor: readonly number[]
  /** Rows whose time no archive can hold. */
  readonly oddRows: number
  /** The first row that will be old enough within a day: there a run ends. Null for none. */
  readonly soonId: bigint | null
}

/** Rows of an archive that are kept under one identity. */
export interface CataloguedBatch extends IdRange {
  readonly identity: string
}

/** How a range is deleted. `B` is a reason that forbids it. */
export interface RangeDeletion<B> {
  readonly lease: Lease
  /** By the server's clock, as it was when the run began: UTC, as text. */
  readonly cutoff: string
  readonly retentionDays: number
  /** The record of this run, if it has one. */
  readonly recordId: bigint | null
  /** Called within the transaction, with the marks locked: what may be deleted, or why nothing. */
  readonly decide: (marks: CleanupMarks) => CleanupLimit | { readonly blocked: B }
}

export type DeletionOutcome<B> =
  | { readonly kind: 'deleted'; readonly recordId: bigint; readonly rows: number }
  /** Rows or marks are not what they were when the range was looked at: look again. */
  | { readonly kind: 'changed' }
  | { readonly kind: 'blocked'; readonly blocked: B }
  /** A foreign key or a trigger does not let the row `id` be deleted. `triggers` are those that the table has for a deletion. */
  | {
      readonly kind: 'refused'
      readonly id: bigint
      readonly error: ArchiverError
      readonly triggers: readonly string[]
    }

/** How busy the server is. */
export interface ServerLoad {
  /** Statements that run now. */
  readonly runningStatements: number
  /** The share of time since the last call, 0 to 1, for which a cluster made its writers wait; 0 without a cluster. */
  readonly pausedShare: number
}

/** A replica to look at; user and password are those of the source. */
export interface ReplicaAddress {
  readonly host: string
  /** Default: the source's. */
  readonly port?: number | undefined
}

/** Which replicas count. */
export interface ReplicaChoice {
  /** The replicas to look at. Empty: those that the source knows of. */
  readonly replicas?: readonly ReplicaAddress[]
  /** Of those that the source knows of, the ones that do not count: `host`, `host:port` or `server_id=17`. */
  readonly ignoredReplicas?: readonly string[]
}

/** How far behind a replica is; null where replication does not run or the replica cannot be asked, and why. */
export interface ReplicaLag {
  readonly lagMs: number | null
  readonly why?: string
}

/** A replica that is queried again and again. */
export interface WatchedReplica extends AsyncDisposable {
  readonly name: string
  lag(): Promise<ReplicaLag>
}

/** The replicas of a server. */
export interface ReplicaSource {
  /** @returns why the replicas cannot be seen, where the account may not query for them. */
  replicas(choice: ReplicaChoice): Promise<readonly WatchedReplica[] | string>
}

/**
 * The source's database as the cleaner needs it. All statements run in the session that holds the lock: nothing is deleted
 * once that session is gone. Errors are ArchiverErrors of `cleanup`.
 */
export interface CleanupSource extends ReplicaSource {
  /** The table's name. */
  readonly name: string
  /** The tables whose rows keep rows of this one from being deleted; as {@link lookForReferences} has found them. */
  readonly references: readonly { readonly table: string }[]
  /** @throws ArchiverError (ARCHIVER_OFF) where the cleaner has no row in the status table. */
  lastRun(): Promise<LastRun>
  lookForReferences(): Promise<void>
  /** The time before which rows are old enough, by the server's clock, as text in UTC. */
  cutoff(retentionDays: number): Promise<string>
  /** Who needs which rows. */
  marks(): Promise<CleanupMarks>
  /** The lowest id after `afterId` and below `belowId`; null for none. */
  firstId(afterId: bigint, belowId: bigint): Promise<bigint | null>
  /** What the source has in the range, by slices of at most {@link RANGE_IDS} ids; slices without rows are left out. */
  slices(range: IdRange, cutoff: string): Promise<Slice[]>
  /** Columns that no archive keeps. */
  unknownColumns(): Promise<readonly string[]>
  /** The texts of `attributes` of old rows; asked after {@link unknownColumns}. None where the table has no such column. */
  attributes(range: IdRange, cutoff: string): Promise<readonly { readonly id: bigint; readonly text: string }[]>
  /** @param without - ids that do not count. */
  digest(range: IdRange, without: readonly bigint[]): Promise<SourceDigest>
  /** The rows of the range whose time no archive can hold. */
  oddIds(range: IdRange): Promise<bigint[]>
  /** The finished batches of an archiver that have rows in the range. */
  batches(archiver: string, range: IdRange): Promise<readonly CataloguedBatch[]>
  /** The cleaner never has a mark; one that somebody gave it would keep a row from being deleted. */
  clearOwnMark(): Promise<void>
  /** Stamps the end of a run, and notes in its record whether it was full, both or neither. */
  stamp(recordId: bigint | null, full: boolean): Promise<void>
  /**
   * Deletes the old rows of one slice, in one transaction, if they are still what was looked at and nobody needs them. Until
   * the commit no mark can be moved and no archiver added.
   *
   * @throws ArchiverError (CLEANUP_CONTRADICTION) when the server deletes other rows than expected; rolled back.
   */
  deleteSlice<B>(slice: Slice, deletion: RangeDeletion<B>): Promise<DeletionOutcome<B>>
  load(): Promise<ServerLoad>
}
