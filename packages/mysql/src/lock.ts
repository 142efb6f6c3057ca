import type { Lease } from '@archiver/core'
import { faultPoint } from '@archiver/core'
import { HeldLock, LOCK_TIMES, LockHeldError, type LockSession, type LockTimes } from '@archiver/core/lock'
import type { Connection } from 'mysql2'
import { connect, cutOff, disconnect } from './connect.js'
import { askRow, type HeldName, holdsNames, type LockNames, namesOnServer, takeNames } from './lock-names.js'
import { statementError } from './mysql-errors.js'
import type { MySqlSettings } from './settings.js'
import { allowSilence } from './silence.js'

/** All names of the lock are taken. */
declare module '@archiver/core' {
  interface FaultPoints {
    'lock.taken': true
  }
}

/** A commit waits no longer than this for the row lock of another transaction. */
const ROW_LOCK_WAIT_S = 2

export interface LockOptions extends LockNames {
  readonly settings: MySqlSettings
  /** How long to wait for a lock that is held; whole seconds are sent. 0 does not wait. */
  readonly timeoutMs: number
  /** Ends the waiting. */
  readonly signal?: AbortSignal
  readonly times?: LockTimes
}

/** MySQL's named lock on a connection of its own: {@link HeldLock} says for how long it is held. */
export class MySqlLock implements Lease, AsyncDisposable {
  /** Also carries the commits, so that a mark can only move while the lock's session lives. */
  readonly connection: Connection
  /** The name for messages; the session may hold further ones. */
  readonly name: string
  /** What the lock lacks, a sentence; undefined where it has every name. */
  readonly warning: string | undefined
  private readonly held: HeldLock
  private readonly settings: MySqlSettings
  /** Asks about the first connection while that one is busy. Opened when it is needed. */
  private observer: Promise<Connection> | undefined

  private constructor(connection: Connection, taken: Taken, answeredAtMs: number, { settings, times }: LockOptions) {
    this.connection = connection
    this.name = taken.name
    this.warning = taken.without === null ? undefined : warningOf(taken.without)
    this.settings = settings
    const session: LockSession = {
      ping: () => holdsNames(connection, taken.names),
      isBusyHolder: () => this.isBusyHolder(),
      cutOff: () => {
        this.endObserver()
        cutOff(connection)
      },
    }
    this.held = new HeldLock(taken.name, session, answeredAtMs, times)
    connection.on('error', (error) => this.held.lose(error.message))
  }

  /** Takes every name of the lock, or says which one is held and by whom. @throws LockHeldError */
  static async take(options: LockOptions): Promise<MySqlLock> {
    const { settings, name, timeoutMs, signal, times = LOCK_TIMES } = options
    const session = `wait_timeout = ${times.sessionWaitS}, innodb_lock_wait_timeout = ${ROW_LOCK_WAIT_S}`
    const connection = await connect(settings, session)
    const giveUp = (): void => cutOff(connection)
    signal?.addEventListener('abort', giveUp)
    try {
      signal?.throwIfAborted()
      allowSilence(connection, timeoutMs)
      const names = await namesOnServer(connection, options)
      const taken = await takeNames(connection, names, timeoutMs)
      const answeredAtMs = performance.now()
      allowSilence(connection, 0)
      if (taken.held !== null) throw new LockHeldError(taken.held.name, taken.held.holder)
      const lock = new MySqlLock(connection, { ...taken, name: names.name }, answeredAtMs, options)
      await faultPoint('lock.taken')
      return lock
    } catch (error) {
      await disconnect(connection)
      throw signal?.aborted ? signal.reason : statementError(error, `taking the lock ${name}`, {})
    } finally {
      signal?.removeEventListener('abort', giveUp)
    }
  }

  get signal(): AbortSignal {
    return this.held.signal
  }

  /** @throws ArchiverError (LOCK_LOST) when another may hold the lock by now. */
  assertHeld(): void {
    this.held.assertHeld()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.held.stop()
    this.endObserver()
    if (this.signal.aborted) this.connection.destroy()
    else await disconnect(this.connection)
  }

  private async isBusyHolder(): Promise<boolean> {
    try {
      this.observer ??= connect(this.settings)
      const [held] = await askRow(await this.observer, BUSY_HOLDER, [this.name, this.connection.threadId])
      return held === 1
    } catch (error) {
      this.endObserver()
      throw error
    }
  }

  private endObserver(): void {
    const { observer } = this
    this.observer = undefined
    void observer?.then(cutOff, () => undefined)
  }
}

/**
 * Whether a session holds a name and is executing a statement. An account may always see its own sessions. The command of
 * a prepared statement is Execute, that of another Query; an idle session's is Sleep.
 */
const BUSY_HOLDER = `
  select is_used_lock(?) = id and command <> 'Sleep' from information_schema.processlist where id = ?`

function warningOf({ name, holder }: HeldName): string {
  return `an archiver of another database, ${holder}, holds the lock ${name}: a Go program of the development head is not kept out of this one once that has ended`
}

/** What the session holds. */
interface Taken {
  readonly name: string
  readonly names: readonly string[]
  readonly without: HeldName | null
}
