import type { PoolState } from '@archiver/core'
import type { Connection } from 'mysql2'
import { connect, cutOff, disconnect } from './connect.js'
import { READ_COMMITTED } from './session.js'
import type { MySqlSettings } from './settings.js'
import { streamOf } from './stream.js'

/** A connection that was idle for longer is asked first whether the server still answers on it. */
const UNCHECKED_IDLE_MS = 10_000
/** The longest wait for that answer. */
const CHECK_MS = 5_000
/** The shortest and the longest time between two looks for connections that have been idle, or open, for too long. */
const SWEEP_MS = { shortest: 250, longest: 10_000 }

interface Entry {
  readonly openedAtMs: number
  idleSinceMs: number
}

/**
 * Connections for reading at READ COMMITTED, opened when they are needed. An idle connection is closed after
 * `maxIdleTimeMs`, any connection after `maxLifetimeMs` once its user has returned it. A connection that is lost is
 * replaced at the next request.
 */
export class ConnectionPool implements AsyncDisposable {
  readonly #settings: MySqlSettings
  readonly #limit: number
  readonly #entries = new Map<Connection, Entry>()
  /** The connection that was used last is used next, so that the others grow idle. */
  readonly #idle: Connection[] = []
  readonly #waiting: (() => void)[] = []
  readonly #sweeper: NodeJS.Timeout
  #opening = 0
  #isClosed = false

  /**
   * @param encrypted - whether the server was found to encrypt; what `db_tls=preferred` settles.
   * @param reads - how many reads may be under way at once.
   */
  constructor(settings: MySqlSettings, encrypted: boolean, reads = 1) {
    this.#settings = encrypted ? settings : { ...settings, tls: undefined }
    // One for each read, and one for what is asked while they are under way.
    this.#limit = Math.max(reads + 1, settings.maxOpenConnections ?? 10)
    const shortestMs = Math.min(this.#maxIdleTimeMs, this.#maxLifetimeMs) / 4
    const sweepMs = Math.min(SWEEP_MS.longest, Math.max(SWEEP_MS.shortest, shortestMs))
    this.#sweeper = setInterval(() => this.#sweep(), sweepMs).unref()
  }

  get state(): PoolState {
    return { open: this.#entries.size, idle: this.#idle.length, waiting: this.#waiting.length }
  }

  /** @throws ArchiverError where no connection can be opened. */
  async checkOut(): Promise<Connection> {
    for (;;) {
      this.#requireOpen()
      const connection = this.#idle.pop() ?? (await this.#open())
      if (connection !== undefined && (await this.#isAlive(connection))) return connection
      if (connection === undefined) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  /** @param usable - whether nothing is under way on the connection. */
  giveBack(connection: Connection, usable: boolean): void {
    const entry = this.#entries.get(connection)
    const isOpen = entry !== undefined && !streamOf(connection).destroyed
    const keep = !this.#isClosed && this.#idle.length < (this.#settings.maxIdleConnections ?? 10)
    if (!usable || !isOpen) this.#drop(connection)
    else if (!keep || !this.isYoung(connection)) this.#end(connection)
    else {
      entry.idleSinceMs = performance.now()
      this.#idle.push(connection)
    }
    this.#waiting.shift()?.()
  }

  /** Whether the connection may be used for another read. */
  isYoung(connection: Connection): boolean {
    const entry = this.#entries.get(connection)
    return entry !== undefined && performance.now() - entry.openedAtMs < this.#maxLifetimeMs
  }

  /** Closes every connection at once; whatever waits for MySQL's answer fails, and nothing more is opened. */
  cutOff(): void {
    this.#close()
    for (const connection of this.#entries.keys()) cutOff(connection)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close()
    await Promise.all([...this.#entries.keys()].map(disconnect))
  }

  async #open(): Promise<Connection | undefined> {
    if (this.#entries.size + this.#opening >= this.#limit) return undefined
    this.#opening += 1
    try {
      const connection = await connect(this.#settings, READ_COMMITTED)
      const nowMs = performance.now()
      this.#entries.set(connection, { openedAtMs: nowMs, idleSinceMs: nowMs })
      // Not the connection's own event: it is not emitted where a statement gets the error.
      streamOf(connection).on('close', () => this.#forget(connection))
      if (this.#isClosed) this.#drop(connection)
      this.#requireOpen()
      return connection
    } catch (error) {
      this.#waiting.shift()?.()
      throw error
    } finally {
      this.#opening -= 1
    }
  }

  /** A network device may have dropped a connection that was idle, and told neither end. */
  async #isAlive(connection: Connection): Promise<boolean> {
    const entry = this.#entries.get(connection)
    if (entry === undefined || streamOf(connection).destroyed) {
      this.#forget(connection)
      return false
    }
    if (performance.now() - entry.idleSinceMs < UNCHECKED_IDLE_MS) return true
    const silent = setTimeout(() => cutOff(connection), CHECK_MS)
    const error = await new Promise((resolve) => connection.ping(resolve))
    clearTimeout(silent)
    if (error) this.#drop(connection)
    return !error
  }

  #sweep(): void {
    const nowMs = performance.now()
    for (const connection of [...this.#idle]) {
      const idleMs = nowMs - (this.#entries.get(connection)?.idleSinceMs ?? 0)
      if (idleMs < this.#maxIdleTimeMs && this.isYoung(connection)) continue
      this.#end(connection)
    }
  }

  #end(connection: Connection): void {
    this.#forget(connection)
    void disconnect(connection)
  }

  #drop(connection: Connection): void {
    this.#forget(connection)
    cutOff(connection)
  }

  #forget(connection: Connection): void {
    if (!this.#entries.delete(connection)) return
    const at = this.#idle.indexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
    this.#waiting.shift()?.()
  }

  #close(): void {
    this.#isClosed = true
    clearInterval(this.#sweeper)
    for (const wake of this.#waiting.splice(0)) wake()
  }

  #requireOpen(): void {
    if (this.#isClosed) throw Object.assign(new Error('the connections are closed'), { fatal: true })
  }

  get #maxIdleTimeMs(): number {
    return (this.#settings.maxIdleTimeMs ?? 120_000) || Number.POSITIVE_INFINITY
  }

  get #maxLifetimeMs(): number {
    return (this.#settings.maxLifetimeMs ?? 300_000) || Number.POSITIVE_INFINITY
  }
}
