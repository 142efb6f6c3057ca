import type { TableWarning } from '@archiver/core'

/**
 * What a service tells of itself: the JSON of `archiver status --json` and of `/api/status`.
 *
 * Ids are decimal strings, since JSON numbers end at 2^53-1; times are ISO 8601 in UTC; durations are milliseconds.
 */
export interface ServiceStatus {
  /** Of the program. */
  readonly version: string
  readonly database: string
  readonly table: string
  readonly host: string
  /** Null where no service answered and the rest was read from MySQL alone. */
  readonly service: ServiceState | null
  /** When the rest of this was true. */
  readonly at: string
  /** The worst of all archivers, the cleaner and MySQL. */
  readonly health: Health
  readonly mysql: MySqlState
  /** The newest row of the source table. */
  readonly newest: NewestRow | null
  /** In the order of the status table; without the cleaner. */
  readonly archivers: readonly ArchiverState[]
  /** Null where the status table has no row `cleanup`. */
  readonly cleanup: CleanupState | null
  /** What an operator should know of the table and its status. Nothing stops for it. */
  readonly warnings: readonly TableWarning[]
}

/** Fine · past `status_late_after` · the last try failed, or MySQL is out of reach. */
export type Health = 'ok' | 'late' | 'failing'

export interface ServiceState {
  readonly pid: number
  readonly startedAt: string
  /** `standby` is ready, and does not have the lock. */
  readonly role: 'starting' | 'leader' | 'standby' | 'stopping'
  /** Since when it has this role. */
  readonly since: string
  readonly lock: { readonly name: string; readonly holder: string | null }
  /** The last change of settings; null where there was none. */
  readonly reload: { readonly at: string; readonly taken: boolean; readonly text: string } | null
  /** Lines of its log that could not be written since it started: a full disk, or a reader who takes nothing. */
  readonly lostLogLines: number
  /** Where the runbook is, with a page for each error code; null where that is not set. */
  readonly runbookUrl: string | null
}

export interface MySqlState {
  readonly reachable: boolean
  readonly answeredAt: string | null
  readonly error: FailureState | null
  /** When the service tries again; null where MySQL answers, and where that is not known. */
  readonly nextTryAt: string | null
  /** Of the service; null without one. */
  readonly pool: { readonly open: number; readonly idle: number; readonly waiting: number } | null
}

export interface NewestRow {
  readonly id: string
  readonly ts: string | null
}

/** An error for people: `message` is one line, `hint` says what to do. Never a secret. */
export interface FailureState {
  readonly at: string
  /** Since when it has failed without a success between. */
  readonly since: string
  readonly code: string
  readonly message: string
  readonly hint: string | null
}

export interface ArchiverState {
  readonly archiver: string
  /**
   * `waiting` for its interval or for more rows · `queued` for its turn to read MySQL · `running` · `retrying` after an
   * error that passes · `failing`: gave up until the next try · `elsewhere`: turned on, but not configured here · `unknown`
   * where no service answered.
   */
  readonly state: 'waiting' | 'queued' | 'running' | 'retrying' | 'failing' | 'elsewhere' | 'unknown'
  readonly health: Health
  /** Null: nothing is stored yet. */
  readonly mark: string | null
  readonly markedAt: string | null
  readonly lag: Lag
  /** While a batch is under way. */
  readonly batch: BatchProgress | null
  readonly lastBatch: LastBatch | null
  readonly nextRunAt: string | null
  readonly lastSuccessAt: string | null
  /** The last failure that no success has followed. */
  readonly error: FailureState | null
  readonly failuresInARow: number
  /** Rows that an operator has taken out. */
  readonly skippedRows: number
  /** Rows that look-ups of this process found in the archive, and that were deleted from MySQL after they had been stored. */
  readonly deletedFromSourceRows: number
  readonly policy: { readonly minRows: number; readonly maxRows: number; readonly intervalMs: number } | null
}

/** How far a mark is behind the newest row. */
export interface Lag {
  /** The difference of the ids: rows at most. Null where it is not known. */
  readonly rows: string | null
  /** How long the oldest waiting row has been waiting; 0 where none waits. By the time of its measurement. */
  readonly ms: number | null
}

export interface BatchProgress {
  readonly id: string
  readonly firstId: string
  readonly upToId: string
  readonly rows: number
  readonly startedAt: string
}

export interface LastBatch {
  readonly id: string
  readonly rows: number
  readonly bytes: number
  readonly identity: string
  readonly elapsedMs: number
  readonly doneAt: string
}

export interface CleanupState {
  readonly state: 'waiting' | 'running' | 'throttled' | 'blocked' | 'failing' | 'unknown'
  readonly health: Health
  readonly lastRunAt: string | null
  readonly nextRunAt: string | null
  /** Of the last run. */
  readonly deletedRows: number | null
  /** Old rows that the last run kept because another table points to them; null where no run of this process is known. */
  readonly keptRows: readonly { readonly table: string; readonly rows: number }[] | null
  readonly oldestTs: string | null
  /** Rows are deleted once they are older, and safe in every archive. */
  readonly retentionDays: number
  /** What holds deletion up, in words, and what to do. */
  readonly blocked: { readonly reason: string; readonly why: string; readonly hint: string | null } | null
  readonly error: FailureState | null
}

/** One point of the charts. */
export interface HistorySample {
  readonly at: string
  readonly archivers: Readonly<
    Record<string, { readonly lagRows: number | null; readonly lagMs: number | null; readonly rowsPerSecond: number }>
  >
}
