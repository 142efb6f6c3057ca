import { ArchiverError, type SourceLock } from '@archiver/core'
import { LockHeldError, type LockTimes } from '@archiver/core/lock'
import type { ServiceConfig } from './config.js'

/** The server waits so long for the lock before it says who has it: then it is asked again. */
const ASK_MS = 3_000
/** An answer that is so late does not come any more. */
const ANSWER_MS = 10_000

export interface StandbyOptions {
  readonly config: ServiceConfig
  readonly signal: AbortSignal
  readonly times: LockTimes | undefined
  /** Another one has the lock. Called each time that it is asked. */
  readonly onHeld: (holder: string) => void
}

/**
 * Waits for the lock for as long as it takes, each time on a new connection. While the server is asked it gives the lock
 * the moment that it is free.
 *
 * @throws ArchiverError where MySQL does not answer or refuses; the reason of `signal` when it aborts.
 */
export async function waitForLock({ config, signal, times, onHeld }: StandbyOptions): Promise<SourceLock> {
  for (let timeoutMs = 0; ; timeoutMs = ASK_MS) {
    try {
      return await ask(config, timeoutMs, signal, times)
    } catch (error) {
      if (!(error instanceof LockHeldError)) throw error
      onHeld(error.holder)
    }
    signal.throwIfAborted()
  }
}

async function ask(
  { database }: ServiceConfig,
  timeoutMs: number,
  signal: AbortSignal,
  times: LockTimes | undefined,
): Promise<SourceLock> {
  const end = new AbortController()
  const stop = (): void => end.abort(signal.reason)
  const silent = setTimeout(() => end.abort(noAnswer()), timeoutMs + database.connectTimeoutMs + ANSWER_MS)
  signal.addEventListener('abort', stop)
  try {
    signal.throwIfAborted()
    return await database.takeLock({ timeoutMs, signal: end.signal, ...(times && { times }) })
  } finally {
    clearTimeout(silent)
    signal.removeEventListener('abort', stop)
  }
}

function noAnswer(): ArchiverError {
  return new ArchiverError('MySQL does not answer', {
    code: 'MYSQL_UNREACHABLE',
    hint: 'Check db_host and that the server runs.',
    retryable: true,
  })
}
