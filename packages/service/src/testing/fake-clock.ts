import { setImmediate as settled } from 'node:timers/promises'
import type { Clock } from '../clock.js'

/** Time that goes on only when a test lets it, and then from one thing that waits to the next. */
export class FakeClock implements Clock {
  #nowMs = 0
  readonly #sleepers: { readonly atMs: number; readonly wake: () => void }[] = []

  now(): number {
    return Date.UTC(2026, 0, 1) + this.#nowMs
  }

  monotonic(): number {
    return this.#nowMs
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const sleeper = { atMs: this.#nowMs + ms, wake: () => wake() }
      const wake = (): void => {
        signal.removeEventListener('abort', wake)
        const at = this.#sleepers.indexOf(sleeper)
        if (at >= 0) this.#sleepers.splice(at, 1)
        resolve()
      }
      signal.addEventListener('abort', wake)
      this.#sleepers.push(sleeper)
    })
  }

  /** Lets so much time go by; whatever is done meanwhile takes as long as it sleeps. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms
    for (;;) {
      await settled()
      const next = this.#sleepers.reduce((first, one) => (one.atMs < first.atMs ? one : first), {
        atMs: Infinity,
        wake() {},
      })
      if (next.atMs > endMs) break
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.wake()
    }
    this.#nowMs = endMs
  }
}
