import { ArchiverError } from '../contract/errors.js'

/** How often and how long to try again what fails for reasons that pass. */
export interface RetryPolicy {
  /** Tries in a row that get nowhere. At least 1. */
  readonly attempts: number
  /** Doubled each time, up to `maxDelayMs`; half of it is left to chance, so that two do not keep in step. */
  readonly firstDelayMs: number
  readonly maxDelayMs: number
}

/** About 15 seconds in all: what takes longer is for the next pass. */
export const DEFAULT_RETRY: RetryPolicy = { attempts: 6, firstDelayMs: 500, maxDelayMs: 8_000 }

export function isRetryable(error: unknown): error is ArchiverError {
  return error instanceof ArchiverError && error.retryable && error.code !== 'LOCK_LOST'
}

/** The wait before try number `attempt` (2 and up). */
export function backoffMs(
  { firstDelayMs, maxDelayMs }: Omit<RetryPolicy, 'attempts'>,
  attempt: number,
  random = Math.random(),
): number {
  const fullMs = Math.min(maxDelayMs, firstDelayMs * 2 ** (attempt - 2))
  return Math.round(fullMs / 2 + (fullMs / 2) * random)
}
