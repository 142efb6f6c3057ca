import { CLEANUP, leaseWhile, type Overview, type SourceLock, type SourceSession } from '@archiver/core'
import { Sightings } from '@archiver/core/engine'
import { CleanupDuty } from './cleanup-duty.js'
import type { Desk } from './desk.js'
import { Duties } from './duties.js'
import type { Exclusive } from './exclusive.js'
import type { LifeEvent } from './life-events.js'
import { behind } from './look.js'
import { type Duty, Scheduler } from './scheduler.js'
import { TurnSource } from './turn-source.js'
import { Turns } from './turns.js'

/** How often a leader looks whether it still is one: MySQL may have fallen silent. */
const WATCH_INTERVAL_MS = 1_000
/** What changes seldom is looked at once in so many looks. */
const LOOKS_A_DETAIL = 6

export interface LeadershipOptions
  extends Pick<Desk, 'clock' | 'random' | 'board' | 'config' | 'onEvent' | 'onCleanup'> {
  readonly lock: SourceLock
  /** Begin nothing more. */
  readonly drain: AbortSignal
  /** Leave what is in hand. */
  readonly stop: AbortSignal
  readonly exclusive: Exclusive
  readonly onLife: (event: LifeEvent) => void
}

/** The time from getting the lock to giving it up, or losing it. */
export class Leadership implements AsyncDisposable {
  readonly #options: LeadershipOptions
  readonly #session: SourceSession
  readonly #desk: Desk
  readonly #sightings = new Sightings()
  readonly #duties: Duties
  #looks = 0

  private constructor(options: LeadershipOptions, session: SourceSession) {
    const { lock, stop, config } = options
    const { runConcurrency } = config()
    const { source, ledger } = session
    this.#options = options
    this.#session = session
    const turns = new Turns({ limit: runConcurrency })
    const lease = leaseWhile(lock, stop)
    this.#desk = {
      ...options,
      ledger,
      lease,
      settledId: () => this.#sightings.settledId(config().settleMs, options.clock.monotonic()),
      sourceFor: (onWait) => new TurnSource({ source: source.share(), turns, signal: lease.signal, onWait }),
    }
    this.#duties = new Duties(this.#desk, new CleanupDuty(session.cleanup, this.#desk))
  }

  /** Makes ready: the tables must be there. @throws ArchiverError */
  static async begin(options: LeadershipOptions): Promise<Leadership> {
    const { lock, config } = options
    const { table, runConcurrency: reads, exactAttributes = false } = config()
    return new Leadership(options, await lock.openSession({ table, reads, exactAttributes }))
  }

  /** Archives until told to stop. @throws ArchiverError (LOCK_LOST) */
  async run(): Promise<void> {
    const { clock, lock, drain, config, board } = this.#options
    board.setPool(() => this.#session.source.poolState)
    const end = AbortSignal.any([drain, lock.signal])
    const giveUp = (): void => this.#session.source.cutOff()
    lock.signal.addEventListener('abort', giveUp)
    const watch = setInterval(() => this.#holds(), WATCH_INTERVAL_MS)
    try {
      const scheduler = new Scheduler({ clock, intervalMs: () => config().runIntervalMs, look: () => this.#look() })
      await scheduler.run(end)
    } finally {
      clearInterval(watch)
      lock.signal.removeEventListener('abort', giveUp)
      board.setPool(() => null)
    }
    if (!drain.aborted) lock.assertHeld()
  }

  /** Settings have changed. */
  reset(): void {
    this.#duties.reset()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]()
  }

  /** Whether the lock is held; where it is not, its signal aborts. */
  #holds(): boolean {
    try {
      this.#options.lock.assertHeld()
      return true
    } catch {
      return false
    }
  }

  async #look(): Promise<readonly Duty[]> {
    try {
      const overview = await this.#session.status.look()
      if (overview.newest !== null) this.#sightings.note(overview.newest.id, this.#options.clock.monotonic())
      await this.#show(overview)
      return this.#duties.due(overview)
    } catch (error) {
      // Without the lock the run ends anyway.
      if (!this.#holds() || !(error instanceof Error)) return []
      this.#options.board.setMySqlError(error, this.#options.config().runIntervalMs)
      this.#options.onLife({ event: 'service.look-failed', error })
      return []
    }
  }

  async #show(overview: Overview): Promise<void> {
    const { board } = this.#options
    board.saw(overview, await this.#session.status.oldestWaiting(behind(overview)))
    if (this.#looks++ % LOOKS_A_DETAIL > 0) return
    const names = overview.archivers.map(({ archiver }) => archiver).filter((name) => name !== CLEANUP)
    const [batches, skipped] = [await this.#session.status.lastBatches(names), await this.#session.status.skippedRows()]
    board.sawDetails(batches, skipped, await this.#session.status.oldestTsSeconds())
    board.sawWarnings(await this.#session.status.tableWarnings(this.#options.config().cleanup.policy.unarchived))
    for (const warning of board.newWarnings()) this.#options.onEvent({ event: 'table.warning', warning })
  }
}
