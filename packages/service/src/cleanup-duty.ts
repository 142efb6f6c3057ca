import type { CleanupEvent, CleanupResult, describeBlocked } from '@archiver/cleanup'
import type { OverviewRow } from '@archiver/core'
import { CLEANUP, type CleanupSource, harmlessText } from '@archiver/core'
import { reasonOf, waitMs } from '@archiver/core/engine'
import { backOffMs, type Desk, isEnd } from './desk.js'
import type { Chore } from './duties.js'
import { type CleanupRecord, failureState } from './records.js'
import type { TurnSource } from './turn-source.js'

type Blocked = Parameters<typeof describeBlocked>[0]
type Cleaner = typeof import('@archiver/cleanup')

/** Runs the cleaner, whenever its interval says so. */
export class CleanupDuty implements Chore {
  readonly name = CLEANUP
  readonly #desk: Desk
  readonly #database: CleanupSource
  readonly #source: TurnSource
  #running = false
  /** Whether it is known what it came to. */
  #hasRun = false
  #failures = 0
  #notBeforeMs = 0

  constructor(database: CleanupSource, desk: Desk) {
    this.#database = database
    this.#desk = desk
    this.#source = desk.sourceFor(() => undefined)
  }

  /** @returns whether it is time; after a full run that is known to the run alone. */
  isDue({ ageMs }: OverviewRow): boolean {
    const { clock, config } = this.#desk
    const { reducedIntervalMs, intervalMs } = config().cleanup.policy
    if (this.#running || clock.monotonic() < this.#notBeforeMs) return false
    const leftMs = waitMs(ageMs, Math.min(reducedIntervalMs, intervalMs))
    if (leftMs > 0 && !this.#hasRun) this.#show({ state: 'waiting', nextRunAtMs: clock.now() + leftMs })
    return leftMs <= 0
  }

  /** Settings have changed. */
  reset(): void {
    this.#notBeforeMs = 0
  }

  async run(): Promise<void> {
    this.#running = this.#hasRun = true
    try {
      const cleaner = await import('@archiver/cleanup')
      this.#ended(cleaner, await this.#clean(cleaner))
    } catch (error) {
      this.#failed(error)
    } finally {
      this.#running = false
      await this.#source.endReadAhead().catch(() => undefined)
    }
  }

  #clean({ runCleanup, describeBlocked, needsOperator }: Cleaner): Promise<CleanupResult> {
    const { config, ledger, lease, drain, exclusive, onEvent, onCleanup } = this.#desk
    const { table, settleMs, cleanup, open } = config()
    const note = (event: CleanupEvent): void => {
      if (event.event === 'cleanup.started') this.#show({ state: 'running', nextRunAtMs: null })
      if (event.event === 'cleanup.waiting')
        this.#show(blockedPatch(event.blocked, table, describeBlocked, needsOperator))
      onCleanup(event)
    }
    return runCleanup({
      ...{ table, database: this.#database, ledger, source: this.#source, lease, drain },
      ...{ ...cleanup, open, settleMs, exclusively: exclusive.run, onEvent: note, onEngineEvent: onEvent },
    })
  }

  #ended({ describeBlocked, needsOperator }: Cleaner, { rows, kept, end }: CleanupResult): void {
    const { config, clock } = this.#desk
    this.#failures = 0
    const { table, cleanup } = config()
    const { intervalMs, reducedIntervalMs } = cleanup.policy
    const delays = {
      'not-due': 0,
      full: reducedIntervalMs,
      young: intervalMs,
      marks: intervalMs,
      empty: intervalMs,
      changed: 0,
      drained: 0,
    }
    const shortMs = Math.min(intervalMs, reducedIntervalMs)
    const delayMs = end.why === 'not-due' ? end.dueInMs : end.why === 'blocked' ? shortMs : delays[end.why]
    this.#notBeforeMs = clock.monotonic() + delayMs
    const blocked =
      end.why === 'blocked'
        ? blockedPatch(end.blocked, table, describeBlocked, needsOperator)
        : ({ state: 'waiting', blocked: null } as const)
    const ran = end.why === 'not-due' ? {} : { deletedRows: rows, keptRows: kept }
    this.#show({ ...blocked, ...ran, error: null, nextRunAtMs: clock.now() + delayMs })
  }

  #failed(thrown: unknown): void {
    const { clock, lease, onEvent } = this.#desk
    const error = reasonOf(thrown, lease)
    if (isEnd(error, this.#desk)) {
      this.#show({ state: 'unknown' })
      return
    }
    this.#failures += 1
    const delayMs = backOffMs(this.#desk, this.#failures, error)
    this.#notBeforeMs = clock.monotonic() + delayMs
    onEvent({ event: 'archiver.failed', archiver: CLEANUP, error })
    const nowMs = clock.now()
    this.#show({ state: 'failing', error: failureState(error, nowMs), nextRunAtMs: nowMs + delayMs })
  }

  #show(patch: Partial<CleanupRecord>): void {
    this.#desk.board.updateCleanup(patch)
  }
}

/** What holds deletion up: `throttled` where it passes by itself, or was asked for. */
function blockedPatch(
  blocked: Blocked,
  table: string,
  describe: Cleaner['describeBlocked'],
  needsOperator: Cleaner['needsOperator'],
): Partial<CleanupRecord> {
  const { why, hint } = describe(blocked, table)
  return {
    state: needsOperator(blocked) ? 'blocked' : 'throttled',
    blocked: { reason: blocked.reason, why: harmlessText(why), hint: harmlessText(hint) },
  }
}
