import type { OverviewRow } from '@archiver/core'
import { higherId } from '@archiver/core'
import { reasonOf, type Served, serveArchiver, waitMs } from '@archiver/core/engine'
import type { ServiceConfig } from './config.js'
import { backOffMs, type Desk, isEnd } from './desk.js'
import { type ArchiverRecord, failureState } from './records.js'
import type { Duty } from './scheduler.js'
import type { TurnSource } from './turn-source.js'

/** Serves one archiver, whenever its policy and its failures say so. */
export class ArchiverDuty implements Duty {
  readonly name: string
  readonly #desk: Desk
  readonly #source: TurnSource
  #row: OverviewRow | undefined
  #running = false
  /** The settings of the run. */
  #config: ServiceConfig | undefined
  #elsewhere = false
  /** Whether the archiver was opened since the settings changed: what is wrong with them is told before rows wait. */
  #checked = false
  #failures = 0
  #notBeforeMs = 0
  /** No newest id below this one means enough rows. */
  #dueFromId = 0n
  #dueFromMark: bigint | null = null

  constructor(name: string, desk: Desk) {
    this.name = name
    this.#desk = desk
    this.#source = desk.sourceFor((waits) => this.#show({ state: waits ? 'queued' : 'running' }))
  }

  /** Takes note of what there is. @returns whether it is time. */
  isDue(row: OverviewRow, newestId: bigint): boolean {
    this.#row = row
    if (this.#running) return false
    if (this.#elsewhere) return this.#idle('elsewhere', null)
    if (this.#failures > 0) return this.#isOver(this.#notBeforeMs)
    return row.unfinished || !this.#checked || this.#waitsEnough(row, newestId)
  }

  /** Settings have changed: what failed may work now. */
  reset(): void {
    this.#elsewhere = this.#checked = false
    this.#notBeforeMs = 0
    this.#dueFromId = 0n
  }

  async run(): Promise<void> {
    const { board, exclusive } = this.#desk
    this.#running = this.#checked = true
    this.#config = this.#desk.config()
    this.#show({ state: 'running', nextRunAtMs: null })
    try {
      this.#succeeded(await exclusive.run(this.name, () => this.#serve()))
    } catch (error) {
      this.#failed(error)
    } finally {
      this.#running = false
      await this.#source.endReadAhead().catch(() => undefined)
      board.update(this.name, { batch: null })
    }
  }

  async #serve(): Promise<Served> {
    const { config, ledger, lease, drain, settledId, onEvent } = this.#desk
    const { table, open, settleMs, retry } = this.#config ?? config()
    // The look that said it is time may be older than the last commit, of this archiver's run before or of the cleaner.
    const status = (await ledger.status()).find(({ archiver }) => archiver === this.name)
    if (status === undefined) return { due: false, why: 'it was turned off' }
    const progress = { rows: 0, batches: 0, mark: status.mark ?? 0n }
    const options = {
      table,
      ledger,
      source: this.#source,
      lease,
      open,
      settleMs,
      settledId: settledId(),
      drain,
      onEvent,
    }
    return serveArchiver({ ...options, ...(retry && { retry }) }, status, progress)
  }

  #succeeded(served: Served): void {
    const { clock, config } = this.#desk
    this.#failures = 0
    const good = { error: null, failuresInARow: 0 } as const
    // Settings that came meanwhile may say otherwise.
    this.#elsewhere = 'notHere' in served && config() === this.#config
    if (this.#elsewhere) {
      this.#show({ ...good, state: 'elsewhere', nextRunAtMs: null })
      return
    }
    if ('dueFromId' in served && served.dueFromId !== undefined) {
      this.#dueFromId = served.dueFromId
      this.#dueFromMark = this.#row?.mark ?? null
    }
    const nowMs = clock.now()
    const nextRunAtMs = nowMs + Math.max(this.#policy?.intervalMs ?? 0, config().runIntervalMs)
    this.#show({
      state: 'waiting',
      nextRunAtMs,
      ...good,
      ...(served.due ? { lastSuccessAtMs: nowMs } : {}),
    })
  }

  #failed(thrown: unknown): void {
    const { clock, lease, onEvent } = this.#desk
    const error = reasonOf(thrown, lease)
    if (isEnd(error, this.#desk)) {
      this.#show({ state: 'unknown' })
      return
    }
    this.#failures += 1
    const nowMs = clock.now()
    this.#notBeforeMs = clock.monotonic() + backOffMs(this.#desk, this.#failures, error)
    onEvent({ event: 'archiver.failed', archiver: this.name, error })
    this.#show({
      state: 'failing',
      error: failureState(error, nowMs),
      failuresInARow: this.#failures,
      nextRunAtMs: nowMs + this.#notBeforeMs - clock.monotonic(),
    })
  }

  #isOver(monotonicMs: number): boolean {
    return this.#desk.clock.monotonic() >= monotonicMs
  }

  /** By arithmetic on the ids alone; whether there are so many rows is asked when it is time. */
  #waitsEnough({ mark, ageMs }: OverviewRow, newestId: bigint): boolean {
    const policy = this.#policy
    if (policy === undefined) return true
    const leftMs = waitMs(ageMs, policy.intervalMs)
    if (leftMs > 0) return this.#idle('waiting', leftMs)
    if (mark !== this.#dueFromMark) this.#dueFromId = 0n
    const dueFromId = higherId((mark ?? 0n) + BigInt(policy.minRows), this.#dueFromId)
    return newestId >= dueFromId || this.#idle('waiting', this.#desk.config().runIntervalMs)
  }

  get #policy() {
    return this.#desk.config().policies[this.name]
  }

  /** @param leftMs - until the next run at the earliest; null for never. */
  #idle(state: ArchiverRecord['state'], leftMs: number | null): false {
    this.#show({ state, nextRunAtMs: leftMs === null ? null : this.#desk.clock.now() + leftMs })
    return false
  }

  #show(patch: Partial<ArchiverRecord>): void {
    this.#desk.board.update(this.name, patch)
  }
}
