import { isDeepStrictEqual } from 'node:util'
import type {
  LockRequest,
  SessionRequest,
  SourceDatabase,
  SourceLock,
  SourceSession,
  StatusQueries,
} from '@archiver/core'
import { MySqlCleanupSource } from './cleanup/cleanup-source.js'
import { connect, cutOff, disconnect, isEncrypted } from './connect.js'
import { MySqlLedger } from './ledger.js'
import { MySqlLock } from './lock.js'
import type { LockNames } from './lock-names.js'
import { MySqlOverview } from './overview.js'
import type { MySqlSettings } from './settings.js'
import { MySqlSource } from './source.js'

export interface MySqlDatabaseOptions {
  readonly settings: MySqlSettings
  readonly lock: LockNames
  /** Whether a server that takes no changes is refused (`db_reject_readonly`). Default false. */
  readonly rejectReadOnly?: boolean
}

/** A MySQL or MariaDB database. Nothing is connected before it is asked for something. */
export class MySqlDatabase implements SourceDatabase {
  readonly #options: MySqlDatabaseOptions

  constructor(options: MySqlDatabaseOptions) {
    this.#options = options
  }

  get name(): string {
    return this.#options.settings.database
  }

  get connectTimeoutMs(): number {
    return this.#options.settings.connectTimeoutMs ?? 0
  }

  equals(other: SourceDatabase): boolean {
    return other instanceof MySqlDatabase && isDeepStrictEqual(this.#options.settings, other.#options.settings)
  }

  async checkConnection(): Promise<void> {
    await disconnect(await connect(this.#options.settings))
  }

  async takeLock(request: LockRequest): Promise<SourceLock> {
    const { settings, lock: names } = this.#options
    const lock = await MySqlLock.take({ settings, ...names, ...request })
    return new DatabaseLock(lock, this.#options)
  }

  async queryStatus<T>(table: string, answerMs: number, work: (queries: StatusQueries) => Promise<T>): Promise<T> {
    const connection = await connect(this.#options.settings)
    const silent = setTimeout(() => cutOff(connection), answerMs)
    try {
      return await work(new MySqlOverview(connection, table))
    } finally {
      clearTimeout(silent)
      await disconnect(connection)
    }
  }
}

class DatabaseLock implements SourceLock {
  readonly name: string
  readonly warning: string | undefined
  readonly #lock: MySqlLock
  readonly #options: MySqlDatabaseOptions

  constructor(lock: MySqlLock, options: MySqlDatabaseOptions) {
    this.name = lock.name
    this.warning = lock.warning
    this.#lock = lock
    this.#options = options
  }

  get signal(): AbortSignal {
    return this.#lock.signal
  }

  assertHeld(): void {
    this.#lock.assertHeld()
  }

  async openSession({ table, ...reading }: SessionRequest): Promise<SourceSession> {
    const { settings, rejectReadOnly = false } = this.#options
    const { connection } = this.#lock
    const source = new MySqlSource({ settings, table, encrypted: isEncrypted(connection), ...reading })
    try {
      await source.detectColumns()
      const ledger = new MySqlLedger(connection, table)
      await ledger.prepare({ rejectReadOnly })
      return {
        source,
        ledger,
        status: new MySqlOverview(connection, table),
        cleanup: new MySqlCleanupSource({ connection, settings, table }),
        [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
      }
    } catch (error) {
      await source[Symbol.asyncDispose]()
      throw error
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#lock[Symbol.asyncDispose]()
  }
}
