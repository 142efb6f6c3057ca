import { setTimeout as delay } from 'node:timers/promises'

/** Time, as the service sees it: tests have their own. */
export interface Clock {
  /** Milliseconds since 1970. May step. */
  now(): number
  /** Milliseconds on a clock that never steps. */
  monotonic(): number
  /** Waits; ends early when `signal` aborts. Never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, { signal }).catch(() => undefined),
}
