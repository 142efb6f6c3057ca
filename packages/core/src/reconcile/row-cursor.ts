import type { LogScoreChunk } from '../contract/log-score.js'

/** A stream of rows in ascending order of id, and the row that it has come to. */
export interface IdCursor {
  /** Undefined after the last row. */
  readonly id: bigint | undefined
  /** Moves to the next row. Undefined where that is known already: then there is nothing to wait for. */
  advance(): Promise<void> | undefined
}

/** Steps through a stream of chunks. */
export class RowCursor implements IdCursor, AsyncDisposable {
  /** Not valid once {@link id} is undefined. */
  chunk!: LogScoreChunk
  row = 0
  /** Rows of all chunks before this one; at the end, of all chunks. */
  rowsBefore = 0
  /** The number of this chunk, from 1. */
  chunks = 0
  readonly #stream: AsyncIterator<LogScoreChunk>
  readonly #onChunk: (rows: number) => void
  #ended = false

  private constructor(stream: AsyncIterable<LogScoreChunk>, onChunk: (rows: number) => void) {
    this.#stream = stream[Symbol.asyncIterator]()
    this.#onChunk = onChunk
  }

  /**
   * A cursor at the first row.
   *
   * @param onChunk - called for each chunk, when all of its rows are passed.
   */
  static async open(
    stream: AsyncIterable<LogScoreChunk>,
    onChunk: (rows: number) => void = () => undefined,
  ): Promise<RowCursor> {
    const cursor = new RowCursor(stream, onChunk)
    await cursor.#fill()
    return cursor
  }

  get id(): bigint | undefined {
    return this.#ended ? undefined : this.chunk.id[this.row]
  }

  get serverId(): number {
    return this.chunk.serverId[this.row]!
  }

  get tsSeconds(): number {
    return this.chunk.tsSeconds[this.row]!
  }

  /** Rows of the chunk from this one on. */
  get left(): number {
    return this.#ended ? 0 : this.chunk.rows - this.row
  }

  advance(): Promise<void> | undefined {
    if (++this.row < this.chunk.rows) return undefined
    this.rowsBefore += this.chunk.rows
    this.#onChunk(this.chunk.rows)
    return this.#fill()
  }

  /** Moves behind the last row. */
  async drain(): Promise<void> {
    for (; !this.#ended; await this.advance()) this.row = this.chunk.rows - 1
  }

  async #fill(): Promise<void> {
    const next = await this.#stream.next()
    this.row = 0
    this.chunks += 1
    if (next.done) this.#ended = true
    else this.chunk = next.value
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stream.return?.()
  }
}
