import type { ServiceEvent } from './view.js'

/** Listeners hear of changes no more often than this. */
const CHANGE_INTERVAL_MS = 250

/** Who wants to know of changes, soon after them, and of events, each at once. */
export class Listeners {
  readonly #ofChanges = new Set<() => void>()
  readonly #ofEvents = new Set<(event: ServiceEvent) => void>()
  #changed: NodeJS.Timeout | undefined

  /** @returns what ends the listening. */
  onChange(listener: () => void): () => void {
    this.#ofChanges.add(listener)
    return () => this.#ofChanges.delete(listener)
  }

  /** @returns what ends the listening. */
  onEvent(listener: (event: ServiceEvent) => void): () => void {
    this.#ofEvents.add(listener)
    return () => this.#ofEvents.delete(listener)
  }

  tell(event: ServiceEvent): void {
    for (const listener of this.#ofEvents) listener(event)
    this.change()
  }

  change(): void {
    if (this.#changed !== undefined || this.#ofChanges.size === 0) return
    this.#changed = setTimeout(() => {
      this.#changed = undefined
      for (const listener of this.#ofChanges) listener()
    }, CHANGE_INTERVAL_MS)
    this.#changed.unref()
  }

  /** Ends the timer. */
  close(): void {
    clearTimeout(this.#changed)
  }
}
