import type { Lease } from '@archiver/core'
import { ArchiverError, faultPoint } from '@archiver/core'
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

/** How long a holder that is not heard of keeps the lock. Only tests need other times than {@link LOCK_TIMES}. */
export interface LockTimes {
  /** The server drops a holder it has not heard of for so long; a dead host would else keep the lock for 8 hours. */
  readonly sessionWaitS: number
  readonly pingIntervalMs: number
  /** Counted from the sending of the last ping that was answered; well before the server lets go. */
  readonly lifeMs: number
}

export const LOCK_TIMES: LockTimes = { sessionWaitS: 8, pingIntervalMs: 2_000, lifeMs: 6_000 }

export interface LockOptions extends LockNames {
  readonly settings: MySqlSettings
  /** How long to wait for a lock that is held; whole seconds are sent. 0 does not wait. */
  readonly timeoutMs: number
  /** Ends the waiting. */
  readonly signal?: AbortSignal
  readonly times?: LockTimes
}

/** Another connection has the lock. */
export class LockHeldError extends ArchiverError {
  /** For people: the connection, its user and host, as far as the server tells. */
  readonly holder: string

  constructor(name: string, holder: string) {
    super(`the lock ${name} is held by ${holder}`, {
      code: 'LOCK_HELD',
      hint: 'Another archiver is at work: let it finish, or set db_lock_timeout to wait for it.',
      retryable: true,
    })
    this.holder = holder
  }
}

/**
 * MySQL's named lock on a connection of its own. As a {@link Lease} it holds as long as the server has answered for it
 * within the last 6 seconds of the monotonic clock, so a process that was frozen finds out before it acts.
 *
 * The lock is pinged on its own connection, which keeps the server from ending it. While a statement of the control
 * tables waits there (for a metadata lock, FLUSH TABLES WITH READ LOCK), the ping waits behind it; then a second
 * connection asks whether the first has the lock and is executing a statement. Such a session cannot run into
 * `wait_timeout`, so the answer counts as a ping's. An idle session's does not count: its time may nearly be over.
 */
export class MySqlLock implements Lease, AsyncDisposable {
  /** Also carries the commits, so that a mark can only move while the lock's session lives. */
  readonly connection: Connection
  /** The name for messages; the session may hold further ones. */
  readonly name: string
  /** What the lock lacks, a sentence; undefined where it has every name. */
  readonly warning: string | undefined
  private readonly names: readonly string[]
  private readonly abort = new AbortController()
  private readonly timer: NodeJS.Timeout
  private readonly settings: MySqlSettings
  private readonly lifeMs: number
  private answeredAtMs: number
  private isPinging = false
  /** Asks about the first connection while that one is busy. Opened when it is needed. */
  private observer: Promise<Connection> | undefined
  private isObserving = false

  private constructor(connection: Connection, taken: Taken, answeredAtMs: number, { settings, times }: LockOptions) {
    this.connection = connection
    this.name = taken.name
    this.names = taken.names
    this.warning = taken.without === null ? undefined : warningOf(taken.without)
    this.settings = settings
    this.answeredAtMs = answeredAtMs
    this.lifeMs = (times ?? LOCK_TIMES).lifeMs
    connection.on('error', (error) => this.lose(error.message))
    this.timer = setInterval(
      () => void (this.isPinging ? this.observe() : this.ping()),
      (times ?? LOCK_TIMES).pingIntervalMs,
    )
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
    return this.abort.signal
  }

  /** @throws ArchiverError (LOCK_LOST) when another may hold the lock by now. */
  assertHeld(): void {
    if (performance.now() - this.answeredAtMs > this.lifeMs) this.lose(`no answer for ${this.lifeMs / 1000} s`)
    this.abort.signal.throwIfAborted()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.timer)
    this.endObserver()
    if (this.abort.signal.aborted) this.connection.destroy()
    else await disconnect(this.connection)
  }

  private async ping(): Promise<void> {
    const sentAtMs = performance.now()
    this.isPinging = true
    try {
      if (await holdsNames(this.connection, this.names)) this.answered(sentAtMs)
      else this.lose('the server says that this connection does not have it')
    } catch (error) {
      this.lose((error as Error).message)
    } finally {
      this.isPinging = false
    }
  }

  /** Counts for as long as a ping, and only while the lock's session is executing a statement. */
  private async observe(): Promise<void> {
    if (this.isObserving) return
    const sentAtMs = performance.now()
    this.isObserving = true
    try {
      this.observer ??= connect(this.settings)
      const [held] = await askRow(await this.observer, BUSY_HOLDER, [this.name, this.connection.threadId])
      if (held === 1) this.answered(sentAtMs)
    } catch {
      // Asked again on a new connection at the next ping; without an answer in time the lock counts as lost.
      this.endObserver()
    } finally {
      this.isObserving = false
    }
  }

  private answered(sentAtMs: number): void {
    this.answeredAtMs = Math.max(this.answeredAtMs, sentAtMs)
  }

  private endObserver(): void {
    const { observer } = this
    this.observer = undefined
    void observer?.then(cutOff, () => undefined)
  }

  private lose(why: string): void {
    clearInterval(this.timer)
    this.endObserver()
    this.abort.abort(
      new ArchiverError(`the lock ${this.name} was lost: ${why}`, {
        code: 'LOCK_LOST',
        hint: 'Nothing was marked since; the next run goes on from there.',
        retryable: true,
      }),
    )
    // Nothing may be committed on it any more, and nobody should wait for its answers.
    cutOff(this.connection)
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
