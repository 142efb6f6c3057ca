import { pause } from '../values/time.js'

/**
 * The wait for a request that a server has accepted and not begun (`archive_takeover_wait`), before an archive is asked what
 * it holds. Such a request was sent before this process took the lock, or by a call of its own that failed: the wait is
 * counted from there, and so is waited for once, not again for each batch.
 */
export class TakeoverWait {
  private readonly waitMs: number
  private endsMs: number

  /** @param waitMs - 0 or more; counted from now on. */
  constructor(waitMs: number) {
    this.waitMs = waitMs
    this.endsMs = performance.now() + waitMs
  }

  /** Counts from now on: the lock was just taken, or a request just failed that may have been accepted. */
  restart(): void {
    this.endsMs = performance.now() + this.waitMs
  }

  /**
   * Waits for what is left.
   *
   * @returns whether it waited at all: then what was seen before may have changed.
   * @throws the reason of the signal.
   */
  async done(signal: AbortSignal): Promise<boolean> {
    const leftMs = this.endsMs - performance.now()
    if (leftMs <= 0) return false
    await pause(leftMs, signal)
    return true
  }
}
