import { ArchiverError, errorText } from '../contract/errors.js'
import type { Lease } from '../contract/lease.js'

/** How long a holder that does not answer keeps the lock. Only tests need other times than {@link LOCK_TIMES}. */
export interface LockTimes {
  /** The server ends a session that sends nothing for so long; a dead host would else keep the lock for hours. */
  readonly sessionWaitS: number
  readonly pingIntervalMs: number
  /** Counted from the sending of the last ping that was answered. Well below `sessionWaitS`. */
  readonly lifeMs: number
}

export const LOCK_TIMES: LockTimes = { sessionWaitS: 8, pingIntervalMs: 2_000, lifeMs: 6_000 }

/** Another session has the lock. */
export class LockHeldError extends ArchiverError {
  /** For people: the session, its user and host, as far as the server tells. */
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

/** The session of a database server that has the lock. It also carries the commits. */
export interface LockSession {
  /** Asks over the session whether it has the lock. This keeps the server from ending it. */
  ping(): Promise<boolean>
  /**
   * Asks over another connection whether the session has the lock and is executing a statement. A rejection says nothing:
   * the question is repeated.
   */
  isBusyHolder(): Promise<boolean>
  /** Ends the session at once. Nothing may be committed on it any more, and nobody should wait for its answers. */
  cutOff(): void
}

/**
 * A lock that this process holds, by the rules of every database:
 *
 * - It is held as long as the server has answered for it within `lifeMs` on the monotonic clock, counted from the sending of
 *   the question. A process that was frozen finds out before it acts.
 * - While a statement waits on the lock's session, the ping waits behind it. Then another connection is asked whether the
 *   session has the lock and executes a statement. The server does not end such a session, so the answer counts as a
 *   ping's. The answer for an idle session does not count: its time may nearly be over.
 * - The lock is lost for good when the server says so, when its session fails, or when `lifeMs` are over. Then the
 *   signal aborts and the session is cut off, in this order and before anything else can run.
 */
export class HeldLock implements Lease {
  readonly #name: string
  readonly #session: LockSession
  readonly #lifeMs: number
  readonly #abort = new AbortController()
  readonly #timer: NodeJS.Timeout
  #answeredAtMs: number
  #isPinging = false
  #isAsking = false

  /** @param answeredAtMs - when the server said that the session has the lock. */
  constructor(name: string, session: LockSession, answeredAtMs: number, { lifeMs, pingIntervalMs } = LOCK_TIMES) {
    this.#name = name
    this.#session = session
    this.#answeredAtMs = answeredAtMs
    this.#lifeMs = lifeMs
    this.#timer = setInterval(() => void (this.#isPinging ? this.#askElsewhere() : this.#ping()), pingIntervalMs)
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** @throws ArchiverError (LOCK_LOST) when another may hold the lock by now. */
  assertHeld(): void {
    if (performance.now() - this.#answeredAtMs > this.#lifeMs) this.lose(`no answer for ${this.#lifeMs / 1000} s`)
    this.signal.throwIfAborted()
  }

  lose(why: string): void {
    this.stop()
    this.#abort.abort(
      new ArchiverError(`the lock ${this.#name} was lost: ${why}`, {
        code: 'LOCK_LOST',
        hint: 'Nothing was marked since; the next run goes on from there.',
        retryable: true,
      }),
    )
    this.#session.cutOff()
  }

  /** Pings no more. */
  stop(): void {
    clearInterval(this.#timer)
  }

  async #ping(): Promise<void> {
    const sentAtMs = performance.now()
    this.#isPinging = true
    try {
      if (await this.#session.ping()) this.#answered(sentAtMs)
      else this.lose('the server says that this connection does not have it')
    } catch (error) {
      this.lose(errorText(error))
    } finally {
      this.#isPinging = false
    }
  }

  async #askElsewhere(): Promise<void> {
    if (this.#isAsking) return
    const sentAtMs = performance.now()
    this.#isAsking = true
    try {
      if (await this.#session.isBusyHolder()) this.#answered(sentAtMs)
    } catch {
      // Without an answer in time the lock counts as lost.
    } finally {
      this.#isAsking = false
    }
  }

  #answered(sentAtMs: number): void {
    this.#answeredAtMs = Math.max(this.#answeredAtMs, sentAtMs)
  }
}
