import type { Acknowledged, Archiver, CleanupSource, Lease, Ledger, ReplicaChoice, Source } from '@archiver/core'
import type { NotHere, OnEvent } from '@archiver/core/engine'
import type { OnCleanupEvent } from './events.js'

/**
 * How an archive is asked before rows are deleted. `count`: rows, ids, servers and times of the range. `rows`: every
 * column of every row. `off`: not at all, the marks alone decide.
 */
export type VerifyMode = 'count' | 'rows' | 'off'

/** What may be deleted, and how often. */
export interface CleanupPolicy {
  /** Rows younger than this many days are kept. At least 1. */
  readonly retentionDays: number
  /** Most rows deleted in a run. At least 1. */
  readonly maxRows: number
  /** Least time from the end of a run to the next. */
  readonly intervalMs: number
  /** The same after a full run: one that ended because of `maxRows`. */
  readonly reducedIntervalMs: number
  /** Between two transactions. Default 50. */
  readonly pauseMs?: number
  /** Default `count`. */
  readonly verify?: VerifyMode
  /** Whether batches whose file or object was moved away count as safe without being asked. Default false. */
  readonly movedIsSafe?: boolean
  /** Columns, and keys of `attributes`, that no archive keeps and that may be lost. Default none: rows that have any are kept. */
  readonly unarchived?: Acknowledged
}

/** What the cleaner gives way to. */
export interface ThrottlePolicy extends ReplicaChoice {
  /** No replica may be further behind than this; 0 looks at none. Default 60,000. */
  readonly maxLagMs?: number
  /** The largest `Threads_running`; 0 for any. Default 0. */
  readonly maxLoad?: number
  /** Nothing is deleted while this file is there. */
  readonly pauseFile?: string | undefined
  /** How long a run waits in all for load and lag to go down before it ends. Default 15,000. */
  readonly maxWaitMs?: number
}

export interface CleanupOptions {
  readonly table: string
  readonly database: CleanupSource
  /** Prepared: its batch table is there. */
  readonly ledger: Ledger
  readonly source: Source
  readonly lease: Lease
  readonly policy: CleanupPolicy
  readonly throttle?: ThrottlePolicy
  /** Makes the archiver of a status row, to be asked through its `reader`; as for a pass. */
  readonly open: (name: string) => Promise<Archiver | NotHere>
  /**
   * Does the work while nobody else serves that archiver: for late rows that have to be stored first. Default: just does it,
   * since nobody else is there.
   */
  readonly exclusively?: <T>(archiver: string, work: () => Promise<T>) => Promise<T>
  /** For late rows that have to be stored first: `archive_settle`. Default 3,000. */
  readonly settleMs?: number
  /** Once aborted, no further range is begun. */
  readonly drain?: AbortSignal
  readonly onEvent: OnCleanupEvent
  /** What becomes of late rows that are stored. */
  readonly onEngineEvent?: OnEvent
  /** This host's clock, in milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number
}
