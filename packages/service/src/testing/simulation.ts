import type { Overview, OverviewRow } from '@archiver/core'
import {
  type Archiver,
  ArchiverError,
  allocateChunk,
  type BatchPolicy,
  CLEANUP,
  type Ledger,
  type LogScoreChunk,
  leaseUntil,
  type PlannedBatch,
  type Source,
  type SourceRange,
} from '@archiver/core'
import type { EngineEvent } from '@archiver/core/engine'
import { MySqlDatabase } from '@archiver/mysql'
import { seededRandom } from '@archiver/testkit'
import { Board } from '../board.js'
import type { ServiceConfig } from '../config.js'
import type { Desk } from '../desk.js'
import { type Chore, Duties } from '../duties.js'
import { Exclusive } from '../exclusive.js'
import { Scheduler } from '../scheduler.js'
import { TurnSource } from '../turn-source.js'
import { Turns } from '../turns.js'
import { FakeClock } from './fake-clock.js'

/** What an archive of the simulation does. */
export interface SimulatedArchive {
  readonly policy: BatchPolicy
  /** How long a batch takes after its rows were read. */
  readonly storeMs?: number
  /** Hours, from and to, in which every batch fails. */
  readonly failing?: readonly [number, number]
}

const HOUR_MS = 3_600_000
const SIMULATED = { host: 'sim', port: 0, database: 'sim', user: 'sim', password: '' }

const forever = new AbortController().signal

/**
 * A leader's schedule, without MySQL and in time that a test lets go by: the real scheduler, duties, turns and engine over
 * a source with a row a second and a ledger in memory.
 */
export class Simulation {
  readonly clock = new FakeClock()
  readonly events: { readonly atMs: number; readonly event: EngineEvent }[] = []
  readonly cleanups: number[] = []
  readonly board: Board
  readonly #archives: Readonly<Record<string, SimulatedArchive>>
  readonly #marks = new Map<string, { mark: bigint | null; atMs: number }>()
  readonly #planned = new Map<string, PlannedBatch>()
  readonly #end = new AbortController()
  readonly #run: Promise<void>
  #batches = 0n

  /** @param lookMs - how long a look takes, after what it sees was so. */
  constructor(archives: Readonly<Record<string, SimulatedArchive>>, runIntervalMs = 10_000, lookMs = 0) {
    this.#archives = archives
    for (const name of Object.keys(archives)) this.#marks.set(name, { mark: null, atMs: 0 })
    const config = this.#config(runIntervalMs)
    this.board = new Board({ version: '0', host: 'sim', config, clock: this.clock })
    const duties = new Duties(this.#desk(config), this.#cleaner())
    const look = async () => {
      const overview = this.#overview()
      if (lookMs > 0) await this.clock.sleep(lookMs, forever)
      this.board.saw(overview, new Map())
      return duties.due(overview)
    }
    const scheduler = new Scheduler({ clock: this.clock, intervalMs: () => runIntervalMs, look })
    this.#run = scheduler.run(this.#end.signal)
  }

  /** When each batch of the archiver was done, in milliseconds. */
  done(archiver: string): number[] {
    return this.events.flatMap(({ atMs, event }) =>
      event.event === 'batch.done' && event.batch.archiver === archiver ? [atMs] : [],
    )
  }

  failed(archiver: string): number[] {
    return this.events.flatMap(({ atMs, event }) =>
      event.event === 'archiver.failed' && event.archiver === archiver ? [atMs] : [],
    )
  }

  async end(): Promise<void> {
    this.#end.abort()
    await this.clock.advance(HOUR_MS)
    await this.#run
    this.board.close()
  }

  #config(runIntervalMs: number): ServiceConfig {
    const policies = Object.fromEntries(Object.entries(this.#archives).map(([name, { policy }]) => [name, policy]))
    const cleanup = {
      policy: { retentionDays: 1, maxRows: 1, intervalMs: 240_000, reducedIntervalMs: 60_000 },
      throttle: {},
    }
    return {
      database: new MySqlDatabase({ settings: SIMULATED, lock: { name: 'sim' } }),
      ...{ table: 'log_scores', lockName: 'sim', runIntervalMs, runConcurrency: 1, statusLateAfterMs: undefined },
      ...{ settleMs: 0, shutdownTimeoutMs: 0, cleanup, policies },
      open: async (name) => this.#open(name),
      retry: { attempts: 1, firstDelayMs: 0, maxDelayMs: 0 },
    }
  }

  #desk(config: ServiceConfig): Desk {
    const turns = new Turns({ limit: 1 })
    const source = { ...this.#source(), endReadAhead: async () => undefined }
    return {
      clock: this.clock,
      random: seededRandom(7),
      board: this.board,
      config: () => config,
      ledger: this.#ledger(),
      lease: leaseUntil(),
      drain: this.#end.signal,
      exclusive: new Exclusive(),
      sourceFor: (onWait) => new TurnSource({ source, turns, signal: forever, onWait }),
      settledId: () => 0n,
      onEvent: (event) => {
        if (event.event !== 'batch.progress') this.events.push({ atMs: this.clock.monotonic(), event })
        this.board.onEngineEvent(event)
      },
      onCleanup: () => undefined,
    }
  }

  get #newestId(): bigint {
    return BigInt(Math.floor(this.clock.monotonic() / 1000))
  }

  #overview(): Overview {
    const rows: OverviewRow[] = [...this.#marks].map(([archiver, { mark, atMs }]) => {
      const ageMs = this.clock.monotonic() - atMs
      return { archiver, mark, ageMs, unfinished: this.#planned.has(archiver) }
    })
    const lastMs = this.cleanups.at(-1) ?? 0
    rows.push({ archiver: CLEANUP, mark: null, ageMs: this.clock.monotonic() - lastMs, unfinished: false })
    return { archivers: rows, newest: { id: this.#newestId, tsSeconds: this.clock.now() / 1000 } }
  }

  #cleaner(): Chore {
    return {
      name: CLEANUP,
      isDue: ({ ageMs }) => ageMs >= 240_000,
      reset: () => undefined,
      run: async () => {
        this.cleanups.push(this.clock.monotonic())
      },
    }
  }

  #open(name: string): Archiver {
    const { policy, storeMs = 0, failing } = this.#archives[name]!
    const check = async (): Promise<void> => {
      const hour = this.clock.monotonic() / HOUR_MS
      if (failing !== undefined && hour >= failing[0] && hour < failing[1]) {
        throw new ArchiverError('the archive is down', { code: 'DOWN', hint: 'wait' })
      }
    }
    return {
      name,
      policy,
      reader: 'none',
      prepare: check,
      store: async (_batch, chunks) => {
        let rows = 0
        for await (const chunk of chunks) rows += chunk.rows
        await this.clock.sleep(storeMs, forever)
        return { rows, bytes: rows, identity: 'sim' }
      },
      findStored: async () => ({ kind: 'none' }),
      [Symbol.asyncDispose]: async () => undefined,
    }
  }

  #source(): Source {
    return {
      maxId: async () => this.#newestId,
      firstId: async ({ afterId, upToId }) => (afterId < upToId ? afterId + 1n : null),
      countUpTo: async ({ afterId, upToId }, limit) => Math.min(limit, Number(upToId - afterId)),
      nextId: async () => 1n,
      existingIds: async () => [],
      timeSpan: async () => null,
      idStep: async () => 1n,
      firstOpenHole: async () => null,
      read: (range) => chunksOf(range),
    }
  }

  #ledger(): Ledger {
    const name = (archiver: string) => this.#marks.get(archiver)!
    return {
      status: async () => this.#overview().archivers,
      planned: async (archiver) => this.#planned.get(archiver) ?? null,
      skipped: async () => new BigUint64Array(),
      plan: async (batch) => {
        const planned = { ...batch, id: ++this.#batches, table: 'log_scores' }
        this.#planned.set(batch.archiver, planned)
        return planned
      },
      shorten: async (batch, upToId) => ({ ...batch, upToId }),
      withdraw: async ({ archiver }) => void this.#planned.delete(archiver),
      supersede: async ({ archiver }) => void this.#planned.delete(archiver),
      commit: async ({ archiver }, _record, { to }) => {
        this.#planned.delete(archiver)
        Object.assign(name(archiver), { mark: to, atMs: this.clock.monotonic() })
        return to
      },
      highPoint: async (archiver) => name(archiver).mark ?? 0n,
      deletedUpTo: async () => 0n,
      noteForeign: async () => undefined,
      doneAfter: async () => null,
      reopen: async () => undefined,
    }
  }
}

async function* chunksOf({ afterId, upToId }: SourceRange): AsyncGenerator<LogScoreChunk> {
  const columns = allocateChunk(1_000)
  for (let id = afterId; id < upToId; ) {
    let rows = 0
    while (rows < 1_000 && id < upToId) columns.id[rows++] = ++id
    yield { ...columns, rows, dictionary: [] }
  }
}
