import { type LogScoreChunk, rowAfter, viewRows } from '@archiver/core'

/** A stream of rows in ascending order of id, opened when its turn comes. */
export interface LazyRows {
  /** No row has a lower id. */
  readonly firstId: bigint
  open(): AsyncIterable<LogScoreChunk>
}

/**
 * The rows of all streams in ascending order of id; equal ids come one after the other. Nothing is copied: chunks are
 * handed on in runs, whole ones where the streams do not overlap. Only those are open whose rows the order has reached.
 */
export async function* mergeById(streams: readonly LazyRows[]): AsyncGenerator<LogScoreChunk> {
  const runs = streams.map((stream) => new Run(stream))
  try {
    for (;;) {
      const [lowest, next] = twoLowest(runs)
      if (lowest === undefined) return
      const chunk = lowest.isOpen ? lowest.upTo(next?.id) : undefined
      if (chunk) yield chunk
      else await lowest.advance()
    }
  } finally {
    for (const run of runs) await run.close()
  }
}

function twoLowest(runs: readonly Run[]): [lowest: Run | undefined, next: Run | undefined] {
  let lowest: Run | undefined
  let next: Run | undefined
  for (const run of runs) {
    if (run.id === undefined) continue
    if (lowest === undefined || run.id < lowest.id!) [lowest, next] = [run, lowest]
    else if (next === undefined || run.id < next.id!) next = run
  }
  return [lowest, next]
}

/** One stream and how far it has been handed on. */
class Run {
  readonly #stream: LazyRows
  #chunks: AsyncIterator<LogScoreChunk> | undefined
  #chunk: LogScoreChunk | undefined
  #row = 0
  /** Of the next row, or no higher than it; undefined at the end. */
  id: bigint | undefined

  constructor(stream: LazyRows) {
    this.#stream = stream
    this.id = stream.firstId
  }

  /** Whether {@link id} is that of a row. */
  get isOpen(): boolean {
    return this.#chunk !== undefined
  }

  /** The rows up to this id, or all of the chunk; undefined where all of it were handed on. */
  upTo(id: bigint | undefined): LogScoreChunk | undefined {
    const chunk = this.#chunk!
    const from = this.#row
    if (from === chunk.rows) return undefined
    const to = id === undefined ? chunk.rows : rowAfter(chunk, id, from)
    this.#row = to
    if (to < chunk.rows) this.id = chunk.id[to]
    return viewRows(chunk, from, to)
  }

  /** Opens the stream, or fetches its next chunk. What was handed on before is not valid any more. */
  async advance(): Promise<void> {
    this.#chunks ??= this.#stream.open()[Symbol.asyncIterator]()
    const next = await this.#chunks.next()
    this.#chunk = next.done ? undefined : next.value
    this.#row = 0
    this.id = this.#chunk?.id[0]
  }

  async close(): Promise<void> {
    await this.#chunks?.return?.()
  }
}
