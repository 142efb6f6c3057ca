import { access } from 'node:fs/promises'
import type { CleanupSource, Lease, WatchedReplica } from '@archiver/core'
import type { Blocked } from './blocked.js'
import type { OnCleanupEvent } from './events.js'
import type { ThrottlePolicy } from './options.js'
import { wait } from './wait.js'

/** The largest share of time that Galera may hold its writers back. */
const MOST_PAUSED = 0.1

const FIRST_DELAY_MS = 500
const MOST_DELAY_MS = 4_000

export interface ThrottleOptions {
  readonly database: CleanupSource
  readonly lease: Lease
  readonly drain: AbortSignal
  readonly policy: ThrottlePolicy
  readonly onEvent: OnCleanupEvent
}

/** Looks whether the servers can bear more deletes, and waits a while where they cannot. */
export class Throttle implements AsyncDisposable {
  private readonly options: ThrottleOptions
  private readonly policy: Required<Omit<ThrottlePolicy, 'pauseFile'>> & Pick<ThrottlePolicy, 'pauseFile'>
  private replicas: Promise<readonly WatchedReplica[]> | undefined
  private leftMs: number

  constructor(options: ThrottleOptions) {
    this.options = options
    this.policy = {
      maxLagMs: 60_000,
      replicas: [],
      ignoredReplicas: [],
      maxLoad: 0,
      maxWaitMs: 15_000,
      ...options.policy,
    }
    this.leftMs = this.policy.maxWaitMs
  }

  /**
   * Returns null once nothing speaks against the next range; what does, once the run has waited long enough for it in
   * all. No transaction is open meanwhile.
   */
  async pass(): Promise<Blocked | null> {
    const { lease, drain, onEvent } = this.options
    for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(MOST_DELAY_MS, delayMs * 2)) {
      lease.assertHeld()
      const blocked = await this.look()
      if (blocked === null || blocked.reason === 'paused' || this.leftMs <= 0 || drain.aborted) return blocked
      const shortMs = Math.min(delayMs, this.leftMs)
      onEvent({ event: 'cleanup.waiting', blocked, delayMs: shortMs })
      await wait(shortMs, lease, drain)
      this.leftMs -= shortMs
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const replica of (await this.replicas?.catch(() => [])) ?? []) await replica[Symbol.asyncDispose]()
  }

  private async look(): Promise<Blocked | null> {
    return (await this.lookAtFile()) ?? (await this.lookAtServer()) ?? (await this.lookAtReplicas())
  }

  private async lookAtFile(): Promise<Blocked | null> {
    const file = this.policy.pauseFile
    if (file === undefined) return null
    return access(file).then(
      () => ({ reason: 'paused', file }) as const,
      (error: NodeJS.ErrnoException) => {
        // A folder that cannot be looked into may hold the file.
        if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null
        return { reason: 'paused', file: `${file} (${error.code})` } as const
      },
    )
  }

  private async lookAtServer(): Promise<Blocked | null> {
    const { runningStatements: threadsRunning, pausedShare: share } = await this.options.database.load()
    const limit = this.policy.maxLoad
    if (limit > 0 && threadsRunning > limit) return { reason: 'load', threadsRunning, limit }
    return share > MOST_PAUSED ? { reason: 'flow-control', share } : null
  }

  private async lookAtReplicas(): Promise<Blocked | null> {
    const { maxLagMs: limitMs } = this.policy
    if (limitMs === 0) return null
    this.replicas ??= this.chooseReplicas()
    for (const replica of await this.replicas) {
      const { lagMs, why } = await replica.lag()
      if (lagMs !== null && lagMs <= limitMs) continue
      return { reason: 'replica-lag', replica: replica.name, lagMs, limitMs, ...(why === undefined ? {} : { why }) }
    }
    return null
  }

  private async chooseReplicas(): Promise<readonly WatchedReplica[]> {
    const watched = await this.options.database.replicas(this.policy)
    return typeof watched === 'string' ? this.unseen(watched) : watched
  }

  private unseen(why: string): readonly WatchedReplica[] {
    this.options.onEvent({ event: 'cleanup.replicas-unseen', why })
    return []
  }
}
