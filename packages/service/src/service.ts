import { hostname } from 'node:os'
import type { CleanupEvent } from '@archiver/cleanup'
import { ArchiverError, errorText, type SourceLock } from '@archiver/core'
import { backoffMs, type EngineEvent, unlessAcknowledged } from '@archiver/core/engine'
import type { LockTimes } from '@archiver/core/lock'
import { Board } from './board.js'
import { type Clock, systemClock } from './clock.js'
import type { ServiceConfig } from './config.js'
import type { Desk } from './desk.js'
import { Exclusive } from './exclusive.js'
import { Leadership } from './leadership.js'
import type { LifeEvent } from './life-events.js'
import { lookAtMySql } from './look.js'
import { waitForLock } from './standby.js'
import type { ServiceView } from './view.js'

/** While MySQL is out of reach: soon again, since another may lead meanwhile, and never more seldom than the last. */
const RETRY = { attempts: Number.POSITIVE_INFINITY, firstDelayMs: 500, maxDelayMs: 10_000 }

/** New connection settings that do not work yet. */
const RELOAD_AGAIN_MS = 10_000

export interface ServiceOptions extends Pick<Desk, 'onEvent' | 'onCleanup'> {
  readonly version: string
  readonly config: ServiceConfig
  /** Reads the settings anew. Throws where they cannot be used. */
  readonly reload: () => Promise<ServiceConfig>
  /** Once aborted, the batches in hand are finished and nothing more is begun. */
  readonly drain: AbortSignal
  /** Once aborted, what is in hand is left. */
  readonly stop: AbortSignal
  readonly onLife: (event: LifeEvent) => void
  /** Lines of the log that could not be written so far: shown in the status. */
  readonly lostLogLines?: () => number
  readonly clock?: Clock
  /** For the jitter of back-offs: from 0 to 1. */
  readonly random?: () => number
  readonly lockTimes?: LockTimes
}

/** A term of leading, which settings that concern its connections end. */
interface Term {
  readonly drain: AbortController
  readonly stop: AbortController
  leadership: Leadership | undefined
}

/** Archives for as long as it runs: leads where it gets the lock, else stands by. */
export class Service {
  readonly #options: ServiceOptions
  readonly #board: Board
  readonly #clock: Clock
  readonly #random: () => number
  readonly #exclusive = new Exclusive()
  #config: ServiceConfig
  #term: Term | undefined
  #reloading: Promise<void> = Promise.resolve()
  #again: NodeJS.Timeout | undefined
  /** Whether it was told that another one leads. */
  #standing = false
  #looking = false
  #lookedAtMs = Number.NEGATIVE_INFINITY
  #failures = 0

  constructor(options: ServiceOptions) {
    const { version, config, clock = systemClock, random = Math.random } = options
    this.#options = options
    this.#config = config
    this.#clock = clock
    this.#random = random
    const { lostLogLines = () => 0 } = options
    this.#board = new Board({ version, host: hostname(), config, clock, lostLogLines })
  }

  get view(): ServiceView {
    return this.#board
  }

  /** Until `drain` aborts. Never rejects for what MySQL or an archive does: that is told, and tried again. */
  async run(): Promise<void> {
    const { drain, onLife } = this.#options
    const { table, lockName: lock } = this.#config
    onLife({ event: 'service.started', table, lock })
    const stopping = (): void => this.#board.setRole('stopping')
    drain.addEventListener('abort', stopping)
    while (!drain.aborted) await this.#serveTerm()
    drain.removeEventListener('abort', stopping)
    clearTimeout(this.#again)
    this.#board.close()
    onLife({ event: 'service.stopped' })
  }

  /** Reads the settings anew, and takes them at the next safe point. */
  requestReload(): void {
    this.#reloading = this.#reloading.then(() => this.#reload())
  }

  /** One term, from waiting for the lock to its end. */
  async #serveTerm(): Promise<void> {
    const { drain, stop } = this.#options
    const term: Term = { drain: new AbortController(), stop: new AbortController(), leadership: undefined }
    const [onDrain, onStop] = [() => term.drain.abort(drain.reason), () => term.stop.abort(stop.reason)]
    drain.addEventListener('abort', onDrain)
    stop.addEventListener('abort', onStop)
    this.#term = term
    try {
      await this.#standOrLead(term)
    } catch (error) {
      if (!term.drain.signal.aborted) await this.#failed(error)
    } finally {
      this.#term = undefined
      drain.removeEventListener('abort', onDrain)
      stop.removeEventListener('abort', onStop)
    }
  }

  async #standOrLead(term: Term): Promise<void> {
    const { lockTimes: times } = this.#options
    const onHeld = (holder: string): void => this.#standBy(holder)
    await using lock = await waitForLock({ config: this.#config, signal: term.drain.signal, times, onHeld })
    await using leadership = await Leadership.begin({
      ...this.#options,
      lock,
      drain: term.drain.signal,
      stop: term.stop.signal,
      clock: this.#clock,
      random: this.#random,
      board: this.#board,
      config: () => this.#config,
      exclusive: this.#exclusive,
      onEvent: this.#onEvent,
      onCleanup: this.#onCleanup,
    })
    this.#leads(lock)
    term.leadership = leadership
    await leadership.run()
  }

  /** First the board, so that what is told is what is shown. */
  readonly #onEvent = (event: EngineEvent): void => {
    const shown = unlessAcknowledged(event, this.#config.cleanup.policy.unarchived)
    if (shown === null) return
    this.#board.onEngineEvent(shown)
    this.#options.onEvent(shown)
  }

  readonly #onCleanup = (event: CleanupEvent): void => {
    this.#board.onCleanupEvent(event)
    this.#options.onCleanup(event)
  }

  #leads({ name: lock, warning }: SourceLock): void {
    this.#standing = false
    this.#failures = 0
    this.#board.setRole('leader', 'this process')
    this.#options.onLife({ event: 'service.leading', lock, ...(warning !== undefined && { warning }) })
  }

  #standBy(holder: string): void {
    this.#failures = 0
    if (!this.#standing) this.#options.onLife({ event: 'service.standby', lock: this.#config.lockName, holder })
    this.#standing = true
    this.#board.setRole('standby', holder)
    void this.#lookFromAside()
  }

  /** What a standby shows is read on a connection of its own, now and then. */
  async #lookFromAside(): Promise<void> {
    if (this.#looking || this.#clock.monotonic() - this.#lookedAtMs < this.#config.runIntervalMs) return
    this.#looking = true
    this.#lookedAtMs = this.#clock.monotonic()
    try {
      const { overview, waiting, batches, skipped, oldestTsSeconds, warnings } = await lookAtMySql(this.#config)
      if (this.#board.role !== 'standby') return
      this.#board.saw(overview, waiting)
      this.#board.sawDetails(batches, skipped, oldestTsSeconds)
      this.#board.sawWarnings(warnings)
    } catch (error) {
      this.#board.setMySqlError(error, this.#config.runIntervalMs)
    } finally {
      this.#looking = false
    }
  }

  async #failed(thrown: unknown): Promise<void> {
    const { onLife, drain } = this.#options
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    this.#standing = false
    if (this.#board.role === 'leader') this.#board.setRole('standby')
    if (error instanceof ArchiverError && error.code === 'LOCK_LOST')
      return onLife({ event: 'service.lock-lost', error })
    this.#failures += 1
    const delayMs = backoffMs(RETRY, this.#failures + 1, this.#random())
    this.#board.setMySqlError(error, delayMs)
    onLife({ event: 'service.failing', error, delayMs })
    await this.#clock.sleep(delayMs, drain)
  }

  async #reload(): Promise<void> {
    clearTimeout(this.#again)
    try {
      const next = await this.#options.reload()
      this.#requireSameLock(next)
      const reconnect = this.#mustReconnect(next)
      // Where the old settings do not work there is nothing to keep.
      if (reconnect && this.#board.status().mysql.reachable) await this.#tryConnection(next)
      this.#take(next, reconnect)
    } catch (error) {
      const hint = error instanceof ArchiverError && error.hint !== undefined ? `. ${error.hint}` : ''
      this.#told('service.reload-refused', false, `the new settings are not taken: ${errorText(error)}${hint}`)
    }
  }

  /** An account may be made after its password was handed out: where it does not work it is tried again later. */
  async #tryConnection({ database }: ServiceConfig): Promise<void> {
    try {
      await database.checkConnection()
    } catch (error) {
      clearTimeout(this.#again)
      this.#again = setTimeout(() => this.requestReload(), RELOAD_AGAIN_MS).unref()
      throw error
    }
  }

  #take(next: ServiceConfig, reconnect: boolean): void {
    this.#config = next
    this.#board.setConfig(next)
    this.#term?.leadership?.reset()
    this.#told('service.reloaded', true, reloadText(next, reconnect))
    if (reconnect) this.#endTerm(next.shutdownTimeoutMs)
  }

  /** The same refusal is not said again and again. */
  #told(event: 'service.reloaded' | 'service.reload-refused', taken: boolean, text: string): void {
    const said = this.#board.status().service?.reload?.text === text
    this.#board.setReload(taken, text)
    if (taken || !said) this.#options.onLife({ event, text })
  }

  #requireSameLock({ lockName, table }: ServiceConfig): void {
    if (lockName === this.#config.lockName && table === this.#config.table) return
    const from = `${this.#config.table} under the lock ${this.#config.lockName}`
    throw new ArchiverError(`another table, database or lock prefix (${from}, now ${table} under ${lockName})`, {
      code: 'RELOAD_NEEDS_RESTART',
      hint: 'Restart the service for that.',
    })
  }

  #mustReconnect({ database, runConcurrency }: ServiceConfig): boolean {
    return !database.equals(this.#config.database) || runConcurrency !== this.#config.runConcurrency
  }

  /** Ends the term at a safe point: a batch that is not finished in time stays planned, and the next term finishes it. */
  #endTerm(graceMs: number): void {
    const term = this.#term
    if (term === undefined) return
    const reason = new ArchiverError('the settings have changed', { code: 'RELOADED', retryable: true })
    term.drain.abort(reason)
    setTimeout(() => term.stop.abort(reason), graceMs).unref()
  }
}

/** What a reload came to, for people. It also ends every wait after a failure. */
function reloadText({ changed }: ServiceConfig, reconnect: boolean): string {
  const retry = 'archivers that wait after a failure try now'
  if (changed?.length === 0) return `settings read again: nothing has changed; ${retry}`
  const what = changed === undefined ? 'new settings' : `new settings (${changed.join(', ')})`
  const how = reconnect ? 'connecting to MySQL anew after the batches in hand' : 'each archiver from its next run on'
  return `${what}: ${how}; ${retry}`
}
