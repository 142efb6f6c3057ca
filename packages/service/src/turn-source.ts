import type { LogScoreChunk, ReadAheadSource, Source, SourceRange, TimeSpan } from '@archiver/core'
import type { Turn, TurnHolder, Turns } from './turns.js'

export interface TurnSourceOptions {
  /** Of this reader alone. */
  readonly source: ReadAheadSource
  readonly turns: Turns
  /** Ends the waiting for a turn. */
  readonly signal: AbortSignal
  /** Whether this reader waits for its turn. */
  readonly onWait: (waits: boolean) => void
}

/**
 * A source whose rows are read in turn with other readers. Who has the turn, and nobody else, has connections and pages
 * under way. A turn is given up in the middle of a range where others wait and this reader does not read, since its archive
 * takes nothing more just now, or has had the turn for long; then the rest is read from where it was. What is only asked,
 * and no row of it read, needs no turn.
 */
export class TurnSource implements Source {
  readonly #source: ReadAheadSource
  readonly #turns: Turns
  readonly #signal: AbortSignal
  readonly #onWait: (waits: boolean) => void
  /** The turn of a read that has ended, while the source reads on. */
  #kept: Turn | undefined

  constructor({ source, turns, signal, onWait }: TurnSourceOptions) {
    this.#source = source
    this.#turns = turns
    this.#signal = signal
    this.#onWait = onWait
  }

  maxId(): Promise<bigint | null> {
    return this.#source.maxId()
  }

  firstId(range: SourceRange): Promise<bigint | null> {
    return this.#source.firstId(range)
  }

  countUpTo(range: SourceRange, limit: number): Promise<number> {
    return this.#source.countUpTo(range, limit)
  }

  nextId(): Promise<bigint> {
    return this.#source.nextId()
  }

  existingIds(ids: readonly bigint[]): Promise<readonly bigint[]> {
    return this.#source.existingIds(ids)
  }

  timeSpan(): Promise<TimeSpan | null> {
    return this.#source.timeSpan()
  }

  idStep(): Promise<bigint> {
    return this.#source.idStep()
  }

  firstOpenHole(holes: readonly SourceRange[]): Promise<SourceRange | null> {
    return this.#source.firstOpenHole(holes)
  }

  async *read(range: SourceRange, soonUpToId = range.upToId, skipped?: BigUint64Array): AsyncGenerator<LogScoreChunk> {
    const takeTurn = (holder: TurnHolder) => this.#take(holder)
    const reading = new Reading({ range, soonUpToId, skipped, source: this.#source, takeTurn })
    reading.begin(this.#claimKept())
    let whole = false
    try {
      for (let chunk = await reading.next(); chunk !== undefined; chunk = await reading.next()) yield chunk
      whole = true
    } finally {
      if (whole && soonUpToId > range.upToId) this.#keep(reading.surrender())
      else await reading.leave()
    }
  }

  /** Ends what is read ahead: nothing more is asked for now. */
  async endReadAhead(): Promise<void> {
    const turn = this.#claimKept()
    try {
      await this.#source.endReadAhead()
    } finally {
      turn?.release()
    }
  }

  async #take(holder: TurnHolder): Promise<Turn> {
    this.#onWait(true)
    try {
      return await this.#turns.take(holder, this.#signal)
    } finally {
      this.#onWait(false)
    }
  }

  /** While the source reads on, until somebody waits. */
  #keep(turn: Turn | undefined): void {
    this.#kept = turn
    if (turn === undefined) return
    turn.holder = { giveWay: () => void this.endReadAhead().catch(() => undefined) }
    turn.rest()
  }

  #claimKept(): Turn | undefined {
    const turn = this.#kept
    this.#kept = undefined
    return turn
  }
}

interface ReadingOptions {
  readonly range: SourceRange
  readonly soonUpToId: bigint
  readonly skipped: BigUint64Array | undefined
  readonly source: Source
  readonly takeTurn: (holder: TurnHolder) => Promise<Turn>
}

/** A range that is read in as many turns as it takes. */
class Reading implements TurnHolder {
  readonly #options: ReadingOptions
  /** The last id that was handed out. */
  #afterId: bigint
  #turn: Turn | undefined
  /** Under way while there is a turn. */
  #chunks: AsyncIterator<LogScoreChunk> | undefined
  #leaving: Promise<void> | undefined

  constructor(options: ReadingOptions) {
    this.#options = options
    this.#afterId = options.range.afterId
  }

  /** @param turn - one that this reader has already. */
  begin(turn: Turn | undefined): void {
    this.#turn = turn
    if (turn !== undefined) turn.holder = this
  }

  async next(): Promise<LogScoreChunk | undefined> {
    await this.#leaving
    if (this.#turn?.isOver) await this.leave()
    this.#turn ??= await this.#options.takeTurn(this)
    this.#turn.work()
    this.#chunks ??= this.#read()
    const { done, value } = await this.#chunks.next()
    this.#turn.rest()
    if (done) return undefined
    this.#afterId = value.id[value.rows - 1]!
    return value
  }

  giveWay(): void {
    this.#leaving = this.leave()
      // Whatever is wrong with the connections shows when they are used next.
      .catch(() => undefined)
      .finally(() => {
        this.#leaving = undefined
      })
  }

  /** Ends the read, and the turn. The chunk that was handed out last stays as it is. */
  async leave(): Promise<void> {
    const [chunks, turn] = [this.#chunks, this.#turn]
    this.#chunks = this.#turn = undefined
    try {
      await chunks?.return?.()
    } finally {
      turn?.release()
    }
  }

  /** Gives the turn to whoever goes on with it. */
  surrender(): Turn | undefined {
    const turn = this.#turn
    this.#turn = undefined
    return turn
  }

  #read(): AsyncIterator<LogScoreChunk> {
    const { range, soonUpToId, skipped, source } = this.#options
    return source.read({ ...range, afterId: this.#afterId }, soonUpToId, skipped)[Symbol.asyncIterator]()
  }
}
