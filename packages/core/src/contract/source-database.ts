import type { LockTimes } from '../lock/index.js'
import type { CleanupSource } from './cleanup-source.js'
import type { Lease } from './lease.js'
import type { Ledger } from './ledger.js'
import type { Source } from './source.js'
import type { PoolState, StatusQueries } from './status-queries.js'

/** How the lock is asked for. */
export interface LockRequest {
  /** How long to wait for a lock that is held; 0 does not wait. */
  readonly timeoutMs: number
  /** Ends the waiting. */
  readonly signal?: AbortSignal
  readonly times?: LockTimes
}

/** How the table is read in a session. */
export interface SessionRequest {
  readonly table: string
  /** Readers at once. Default 1. */
  readonly reads?: number
  /** Whether chunks keep the texts of `attributes`. Default false. */
  readonly exactAttributes?: boolean
}

/** A source that reads on behind the range that was read last. */
export interface ReadAheadSource extends Source {
  /** Stops that, gives its connections back, and forgets what the table looks like. */
  endReadAhead(): Promise<void>
}

/** A source over a pool of connections. */
export interface PooledSource extends ReadAheadSource {
  /** Another reader over the same pool. */
  share(): ReadAheadSource
  readonly poolState: PoolState
  /** Ends every connection at once, without waiting for an answer. */
  cutOff(): void
}

/** Everything that works under one lock: marks move and rows are deleted in the lock's own connection. */
export interface SourceSession extends AsyncDisposable {
  readonly source: PooledSource
  /** Prepared. */
  readonly ledger: Ledger
  readonly status: StatusQueries
  readonly cleanup: CleanupSource
}

/** The lock that keeps every other archiver, ours or a Go program, from the same table. */
export interface SourceLock extends Lease, AsyncDisposable {
  /** For messages; the session may hold further names. */
  readonly name: string
  /** What the lock lacks, a sentence; undefined where it has every name. */
  readonly warning: string | undefined
  /** @throws ArchiverError where the table or the control tables cannot be used. */
  openSession(request: SessionRequest): Promise<SourceSession>
}

/** The database that holds the rows, and the control tables beside them. */
export interface SourceDatabase {
  /** For people: the name of the database. */
  readonly name: string
  /** The longest time to connect. 0: as long as the system waits. */
  readonly connectTimeoutMs: number
  /** Whether the other one is reached in the same way, by the same account. */
  equals(other: SourceDatabase): boolean
  /** Connects once, and disconnects. @throws ArchiverError */
  checkConnection(): Promise<void>
  /** @throws LockHeldError while another one holds it. */
  takeLock(request: LockRequest): Promise<SourceLock>
  /**
   * Runs queries for the status over a connection of their own, without the lock.
   *
   * @param answerMs - a server that is silent for so long is given up.
   */
  queryStatus<T>(table: string, answerMs: number, work: (queries: StatusQueries) => Promise<T>): Promise<T>
}
