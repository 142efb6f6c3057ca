import type { CleanupEvent } from '@archiver/cleanup'
import {
  CLEANUP,
  type FinishedBatch,
  harmlessText,
  type Overview,
  type PlannedBatch,
  type PoolState,
  type TableWarning,
} from '@archiver/core'
import type { EngineEvent } from '@archiver/core/engine'
import type { Clock } from './clock.js'
import type { ServiceConfig } from './config.js'
import { History, lagsOf } from './history.js'
import { Listeners } from './listeners.js'
import {
  type ArchiverRecord,
  archiverState,
  type CleanupRecord,
  cleanupState,
  failureState,
  following,
  forgetWork,
  lastBatch,
  mysqlState,
  type Newest,
  newCleanupRecord,
  newestRow,
  newRecord,
  worst,
} from './records.js'
import type { FailureState, ServiceState, ServiceStatus } from './status.js'
import type { ServiceEvent, ServiceView } from './view.js'
import { Warnings } from './warnings.js'

export interface BoardOptions {
  readonly version: string
  readonly host: string
  readonly config: ServiceConfig
  readonly clock: Clock
  /** Lines of the log that could not be written so far. */
  readonly lostLogLines?: () => number
}

/** Everything that a service shows, in memory. */
export class Board implements ServiceView {
  readonly #version: string
  readonly #host: string
  readonly #clock: Clock
  readonly #lostLogLines: () => number
  readonly #history = new History()
  readonly #warnings = new Warnings()
  readonly #listeners = new Listeners()
  readonly #startedAt: string
  #config: ServiceConfig
  #records = new Map<string, ArchiverRecord>()
  #cleanup: CleanupRecord | null = null
  #newest: Newest | null = null
  #atMs: number
  #role: ServiceState['role'] = 'starting'
  #since: string
  #holder: string | null = null
  #reload: ServiceState['reload'] = null
  #answeredAtMs: number | null = null
  #nextTryAtMs: number | null = null
  #mysqlError: FailureState | null = null
  #pool: () => PoolState | null = () => null

  constructor({ version, host, config, clock, lostLogLines = () => 0 }: BoardOptions) {
    this.#version = version
    this.#host = host
    this.#config = config
    this.#clock = clock
    this.#lostLogLines = lostLogLines
    this.#atMs = clock.now()
    this.#startedAt = this.#since = new Date(this.#atMs).toISOString()
  }

  status(): ServiceStatus {
    const nowMs = this.#clock.now()
    const archivers = [...this.#records.values()].map((record) =>
      archiverState(record, this.#newest, this.#config, nowMs),
    )
    const cleanup = this.#cleanup === null ? null : cleanupState(this.#cleanup, this.#config, nowMs)
    const error = this.#mysqlError
    const mine = error === null ? 'ok' : 'failing'
    return {
      version: this.#version,
      database: this.#config.database.name,
      table: this.#config.table,
      host: this.#host,
      service: this.#service(),
      at: new Date(this.#atMs).toISOString(),
      health: worst([mine, ...archivers.map(({ health }) => health), ...(cleanup === null ? [] : [cleanup.health])]),
      mysql: mysqlState(error, this.#answeredAtMs, this.#nextTryAtMs, this.#pool()),
      newest: newestRow(this.#newest),
      archivers,
      cleanup,
      warnings: this.#warnings.all(this.#config.cleanup.policy.unarchived),
    }
  }

  history(): HistorySamples {
    return this.#history.samples
  }

  onChange(listener: () => void): () => void {
    return this.#listeners.onChange(listener)
  }

  onEvent(listener: (event: ServiceEvent) => void): () => void {
    return this.#listeners.onEvent(listener)
  }

  setConfig(config: ServiceConfig): void {
    this.#config = config
    for (const record of this.#records.values()) record.policy = config.policies[record.archiver] ?? null
    if (this.#cleanup !== null) this.#cleanup.intervalMs = config.cleanup.policy.intervalMs
    this.#listeners.change()
  }

  setRole(role: ServiceState['role'], holder: string | null = null): void {
    if (this.#role !== role) this.#since = new Date(this.#clock.now()).toISOString()
    this.#role = role
    this.#holder = holder === null ? null : harmlessText(holder)
    if (role === 'standby') {
      forgetWork(this.#records.values(), this.#cleanup)
      this.#pool = () => null
    }
    this.#listeners.change()
  }

  get role(): ServiceState['role'] {
    return this.#role
  }

  setReload(taken: boolean, text: string): void {
    this.#reload = { at: new Date(this.#clock.now()).toISOString(), taken, text: harmlessText(text) }
    this.#listeners.change()
  }

  /**
   * MySQL does not answer, or refuses what the service needs as a whole.
   *
   * @param delayMs - until the next try; null where that is not known.
   */
  setMySqlError(error: unknown, delayMs: number | null = null): void {
    const nowMs = this.#clock.now()
    this.#mysqlError = following(failureState(error, nowMs), this.#mysqlError)
    this.#nextTryAtMs = delayMs === null ? null : nowMs + delayMs
    this.#listeners.change()
  }

  setPool(pool: () => PoolState | null): void {
    this.#pool = pool
  }

  /** MySQL has answered. */
  saw({ archivers, newest }: Overview, waiting: ReadonlyMap<string, number | null>): void {
    const nowMs = this.#clock.now()
    this.#atMs = this.#answeredAtMs = nowMs
    this.#mysqlError = null
    this.#newest = newest
    const records = new Map<string, ArchiverRecord>()
    for (const { archiver, mark, ageMs } of archivers.filter((row) => row.archiver !== CLEANUP)) {
      const record = this.#records.get(archiver) ?? this.#newRecord(archiver)
      const markedAtMs = mark === null ? null : nowMs - ageMs
      Object.assign(record, { mark, markedAtMs, waitingMs: waiting.get(archiver) ?? null, waitingAtMs: nowMs })
      records.set(archiver, record)
    }
    this.#records = records
    this.#warnings.sawStamps(archivers)
    this.#sawCleanup(archivers, nowMs)
    this.#sample()
    this.#listeners.change()
  }

  /** What is looked at less often. */
  sawDetails(
    batches: ReadonlyMap<string, FinishedBatch>,
    skipped: ReadonlyMap<string, number>,
    oldestTsSeconds: number | null,
  ): void {
    for (const record of this.#records.values()) {
      const batch = batches.get(record.archiver)
      if (batch !== undefined) record.lastBatch = lastBatch(batch)
      if (batch !== undefined) record.lastSuccessAtMs ??= batch.doneAtMs
      record.skippedRows = skipped.get(record.archiver) ?? 0
    }
    if (this.#cleanup !== null) this.#cleanup.oldestTsSeconds = oldestTsSeconds
    this.#listeners.change()
  }

  sawWarnings(warnings: readonly TableWarning[]): void {
    this.#warnings.sawTable(warnings)
    this.#listeners.change()
  }

  /** Warnings that were not returned before: for the log. */
  newWarnings(): readonly TableWarning[] {
    return this.#warnings.fresh()
  }

  update(archiver: string, patch: Partial<Omit<ArchiverRecord, 'archiver'>>): void {
    const record = this.#records.get(archiver)
    if (record === undefined) return
    Object.assign(record, patch, patch.error && { error: following(patch.error, record.error) })
    this.#listeners.change()
  }

  updateCleanup(patch: Partial<CleanupRecord>): void {
    if (this.#cleanup === null) return
    Object.assign(this.#cleanup, patch, patch.error && { error: following(patch.error, this.#cleanup.error) })
    this.#listeners.change()
  }

  readonly onEngineEvent = (event: EngineEvent): void => {
    this.#note(event)
    this.#listeners.tell(event)
  }

  readonly onCleanupEvent = (event: CleanupEvent): void => {
    this.#listeners.tell(event)
  }

  /** Ends the timer. */
  close(): void {
    this.#listeners.close()
  }

  #service(): ServiceState {
    const lock = { name: this.#config.lockName, holder: this.#holder }
    const { pid } = process
    const lostLogLines = this.#lostLogLines()
    const known = { role: this.#role, since: this.#since, lock, reload: this.#reload, lostLogLines }
    const runbookUrl = this.#config.runbookUrl ?? null
    return { pid, startedAt: this.#startedAt, ...known, runbookUrl }
  }

  #newRecord(archiver: string): ArchiverRecord {
    return { ...newRecord(archiver), policy: this.#config.policies[archiver] ?? null }
  }

  #sawCleanup(archivers: Overview['archivers'], nowMs: number): void {
    const row = archivers.find(({ archiver }) => archiver === CLEANUP)
    if (row === undefined) this.#cleanup = null
    else {
      this.#cleanup ??= newCleanupRecord(this.#config.cleanup.policy.intervalMs)
      this.#cleanup.lastRunAtMs = nowMs - row.ageMs
    }
  }

  #note(event: EngineEvent): void {
    if (event.event === 'batch.progress') this.#progress(event.batch, event.rows)
    else if (event.event === 'batch.done') this.#done(event)
    else if (event.event === 'batch.deleted-rows') this.#deletedRows(event.batch.archiver, event.rows)
    else if (event.event === 'batch.unarchived') this.#warnings.archived(event.unarchived)
    else if (event.event === 'batch.superseded') this.update(event.batch.archiver, { batch: null })
    else if (event.event === 'archiver.retrying') {
      const error = failureState(event.error, this.#clock.now())
      this.update(event.archiver, { state: 'retrying', error, batch: null })
    } else if ('batch' in event) this.#begun(event.batch)
  }

  #begun({ id, archiver, firstId, upToId }: PlannedBatch): void {
    const startedAt = new Date(this.#clock.now()).toISOString()
    const batch = { id: id.toString(), firstId: firstId.toString(), upToId: upToId.toString(), rows: 0, startedAt }
    this.update(archiver, { state: 'running', batch })
  }

  #progress({ archiver, id, firstId }: PlannedBatch, rows: number): void {
    const batch = this.#records.get(archiver)?.batch
    if (batch === null || batch === undefined || batch.id !== id.toString()) return
    this.#history.reached(archiver, firstId, rows)
    this.update(archiver, { batch: { ...batch, rows } })
  }

  #deletedRows(archiver: string, rows: number): void {
    const known = this.#records.get(archiver)?.deletedFromSourceRows ?? 0
    this.update(archiver, { deletedFromSourceRows: known + rows })
  }

  #done({ batch, record, elapsedMs }: Extract<EngineEvent, { event: 'batch.done' }>): void {
    const { archiver, id } = batch
    this.#progress(batch, record.rows)
    const nowMs = this.#clock.now()
    const { rows, bytes, identity, lastId: mark } = record
    const done = lastBatch({ id, rows, bytes, identity, elapsedMs, doneAtMs: nowMs })
    const known = this.#records.get(archiver)?.mark ?? 0n
    const moved = mark > known ? { mark, markedAtMs: nowMs, waitingMs: null } : {}
    this.update(archiver, { batch: null, lastBatch: done, ...moved })
  }

  #sample(): void {
    const at = new Date(this.#clock.now()).toISOString()
    this.#history.sample(at, this.#clock.monotonic(), lagsOf(this.status().archivers))
  }
}

type HistorySamples = ReturnType<ServiceView['history']>
