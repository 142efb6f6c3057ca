import type { Clock } from './clock.js'

/** Work that is done again and again. */
export interface Duty {
  readonly name: string
  /** Never rejects: what goes wrong is the duty's own business. */
  run(): Promise<void>
}

export interface SchedulerOptions {
  readonly clock: Clock
  /** Time from one look to the next; asked each time. */
  readonly intervalMs: () => number
  /** Looks what there is to do. @returns the duties that are due now. */
  readonly look: () => Promise<readonly Duty[]>
}

/**
 * Looks again and again, and starts what is due. Duties run beside one another, each once at a time: one that takes long
 * delays nobody but itself.
 */
export class Scheduler {
  readonly #options: SchedulerOptions
  readonly #running = new Map<string, Promise<void>>()

  constructor(options: SchedulerOptions) {
    this.#options = options
  }

  /** Until `end` aborts; resolves when nothing runs any more. @throws what the look throws, likewise. */
  async run(end: AbortSignal): Promise<void> {
    const { clock, intervalMs, look } = this.#options
    try {
      while (!end.aborted) {
        const startedMs = clock.monotonic()
        for (const duty of await look()) if (!end.aborted) this.#start(duty)
        await clock.sleep(Math.max(0, startedMs + intervalMs() - clock.monotonic()), end)
      }
    } finally {
      await Promise.all(this.#running.values())
    }
  }

  #start(duty: Duty): void {
    const { name } = duty
    if (this.#running.has(name)) return
    this.#running.set(
      name,
      duty.run().finally(() => this.#running.delete(name)),
    )
  }
}
