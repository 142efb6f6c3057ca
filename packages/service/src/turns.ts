/** What a holder of a turn is told. */
export interface TurnHolder {
  /** Others wait, and nothing was read for a moment: end the read, then {@link Turn.release}. */
  giveWay(): void
}

export interface TurnsOptions {
  /** Turns at once. At least 1. */
  readonly limit: number
  /** While others wait, a holder that reads nothing for so long is asked to give way. Default 100. */
  readonly momentMs?: number
  /** While others wait, a turn is over after so long. Default 2,000. */
  readonly sliceMs?: number
}

/** Who may read MySQL: `limit` at a time, the others in the order in which they came. */
export class Turns {
  readonly limit: number
  readonly momentMs: number
  readonly sliceMs: number
  readonly #held = new Set<Turn>()
  readonly #waiting: (() => void)[] = []

  constructor({ limit, momentMs = 100, sliceMs = 2_000 }: TurnsOptions) {
    this.limit = limit
    this.momentMs = momentMs
    this.sliceMs = sliceMs
  }

  /** Whether somebody waits for a turn. */
  get wanted(): boolean {
    return this.#waiting.length > 0
  }

  /** Waits for a turn. @throws the reason of `signal` when it aborts first. */
  take(holder: TurnHolder, signal: AbortSignal): Promise<Turn> {
    signal.throwIfAborted()
    if (this.#held.size < this.limit) return Promise.resolve(this.#grant(holder))
    return new Promise((resolve, reject) => {
      const wait = (): void => {
        signal.removeEventListener('abort', give)
        resolve(this.#grant(holder))
      }
      const give = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(wait), 1)
        reject(signal.reason)
      }
      signal.addEventListener('abort', give, { once: true })
      this.#waiting.push(wait)
      for (const turn of this.#held) turn.press()
    })
  }

  /** For {@link Turn.release}. */
  end(turn: Turn): void {
    if (!this.#held.delete(turn)) return
    this.#waiting.shift()?.()
  }

  #grant(holder: TurnHolder): Turn {
    const turn = new Turn(this, holder)
    this.#held.add(turn)
    return turn
  }
}

/** Leave to read MySQL. Begins at work. */
export class Turn {
  holder: TurnHolder
  readonly #turns: Turns
  readonly #sinceMs = performance.now()
  #idleSinceMs: number | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(turns: Turns, holder: TurnHolder) {
    this.#turns = turns
    this.holder = holder
  }

  /** Whether it is time to let others have it. */
  get isOver(): boolean {
    return this.#turns.wanted && performance.now() - this.#sinceMs > this.#turns.sliceMs
  }

  /** Something is read. */
  work(): void {
    this.#idleSinceMs = undefined
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** Nothing is read until {@link work}. */
  rest(): void {
    this.#idleSinceMs = performance.now()
    if (this.#turns.wanted) this.press()
  }

  /** Others wait. */
  press(): void {
    if (this.#idleSinceMs === undefined || this.#timer !== undefined) return
    const leftMs = this.#idleSinceMs + this.#turns.momentMs - performance.now()
    this.#timer = setTimeout(() => this.holder.giveWay(), Math.max(0, leftMs))
  }

  release(): void {
    clearTimeout(this.#timer)
    this.#turns.end(this)
  }
}
