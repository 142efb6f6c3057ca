import type { Connection } from 'mysql2'
import { ArchiverError } from '../errors.js'
import { faultPoint } from '../fault.js'
import type { Permit } from '../types.js'
import { connect, cutOff, disconnect } from './connect.js'
import { type HeldName, holdsNames, type LockNames, takeNames } from './lock-names.js'
import { statementError } from './mysql-errors.js'
import type { MySqlSettings } from './settings.js'

/** A commit waits no longer than this for another transaction: pings queue behind it. */
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
 * MySQL's named lock on a connection of its own. As a {@link Permit} it holds as long as the server has answered for it
 * within the last 6 seconds of the monotonic clock, so a process that was frozen finds out before it acts.
 */
export class MySqlLock implements Permit, AsyncDisposable {
  /** Also carries the commits, so that a mark can only move while the lock's session lives. */
  readonly connection: Connection
  /** The name for messages; the session may hold further ones. */
  readonly name: string
  /** What the lock lacks, a sentence; undefined where it has every name. */
  readonly warning: string | undefined
  private readonly names: readonly string[]
  private readonly abort = new AbortController()
  private readonly timer: NodeJS.Timeout
  private readonly lifeMs: number
  private answeredAtMs: number

  private constructor(connection: Connection, taken: Taken, answeredAtMs: number, times: LockTimes) {
    this.connection = connection
    this.name = taken.name
    this.names = taken.names
    this.warning = taken.without === null ? undefined : warningOf(taken.without)
    this.answeredAtMs = answeredAtMs
    this.lifeMs = times.lifeMs
    connection.on('error', (error) => this.lose(error.message))
    this.timer = setInterval(() => void this.ping(), times.pingIntervalMs)
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
      const taken = await takeNames(connection, options, timeoutMs)
      const answeredAtMs = performance.now()
      if (taken.held !== null) throw new LockHeldError(taken.held.name, taken.held.holder)
      const lock = new MySqlLock(connection, { ...taken, name }, answeredAtMs, times)
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
  check(): void {
    if (performance.now() - this.answeredAtMs > this.lifeMs) this.lose(`no answer for ${this.lifeMs / 1000} s`)
    this.abort.signal.throwIfAborted()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.timer)
    if (this.abort.signal.aborted) this.connection.destroy()
    else await disconnect(this.connection)
  }

  private async ping(): Promise<void> {
    const sentAtMs = performance.now()
    try {
      if (await holdsNames(this.connection, this.names)) this.answeredAtMs = sentAtMs
      else this.lose('the server says that this connection does not have it')
    } catch (error) {
      this.lose((error as Error).message)
    }
  }

  private lose(why: string): void {
    clearInterval(this.timer)
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

function warningOf({ name, holder }: HeldName): string {
  return `an archiver of another database, ${holder}, holds the lock ${name}: a Go program of the development head is not kept out of this one once that has ended`
}

/** What the session holds. */
interface Taken {
  readonly name: string
  readonly names: readonly string[]
  readonly without: HeldName | null
}
