import type { CleanupEvent } from '@archiver/cleanup'
import type { Lease, Ledger } from '@archiver/core'
import type { EngineEvent, RetryPolicy } from '@archiver/core/engine'
import { backoffMs, isRetryable } from '@archiver/core/engine'
import type { Board } from './board.js'
import type { Clock } from './clock.js'
import type { ServiceConfig } from './config.js'
import type { Exclusive } from './exclusive.js'
import type { TurnSource } from './turn-source.js'

/** What the duties of a leader work with. */
export interface Desk {
  readonly clock: Clock
  /** From 0 to 1; seeded in tests. */
  readonly random: () => number
  readonly board: Board
  /** As the settings are now. */
  readonly config: () => ServiceConfig
  readonly ledger: Ledger
  readonly lease: Lease
  /** Once aborted, nothing more is begun. */
  readonly drain: AbortSignal
  readonly exclusive: Exclusive
  /** The source for one reader. */
  readonly sourceFor: (onWait: (waits: boolean) => void) => TurnSource
  /** Ids up to here have been there for longer than the settle window. */
  readonly settledId: () => bigint
  readonly onEvent: (event: EngineEvent) => void
  readonly onCleanup: (event: CleanupEvent) => void
}

/** An archive that answers again after an outage is tried within a minute. */
const MAX_OUTAGE_BACKOFF_MS = 50_000
/** What does not pass without an operator is tried less often: each try may read a batch, or cost a load job. */
const MAX_BACKOFF_MS = 15 * 60_000

/** Told to stop, or without the lock, nothing has failed; whatever else goes wrong meanwhile has. */
export function isEnd(error: Error, { lease, drain }: Pick<Desk, 'lease' | 'drain'>): boolean {
  return lease.signal.aborted || (drain.aborted && error === drain.reason)
}

/** When to try again after so many failures in a row, of which `error` is the last. */
export function backOffMs(desk: Pick<Desk, 'config' | 'random'>, failures: number, error: Error): number {
  const { runIntervalMs } = desk.config()
  const policy: RetryPolicy = {
    attempts: failures,
    firstDelayMs: runIntervalMs,
    maxDelayMs: Math.max(isRetryable(error) ? MAX_OUTAGE_BACKOFF_MS : MAX_BACKOFF_MS, runIntervalMs),
  }
  return backoffMs(policy, failures + 1, desk.random())
}
