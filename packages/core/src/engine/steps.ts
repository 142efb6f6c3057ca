import type { Archiver } from '../contract/archiver.js'
import type { LogScoreChunk } from '../contract/log-score.js'

/**
 * Where the time of a batch went, in milliseconds. Reading, encoding and sending take turns all the while, so each is a
 * sum of many short times; together they are the whole.
 */
export interface BatchSteps {
  /** Until the source had the next rows. */
  readonly readMs: number
  /** Null where the adapter does not count it: then `sendMs` has it. */
  readonly encodeMs: number | null
  /** Until the archive took what was sent, and said that it has all of it. */
  readonly sendMs: number
  /** The transaction that moves the mark. */
  readonly markMs: number
}

/** Measures the steps of one batch. */
export class StepClock {
  private readonly startedMs = performance.now()
  private readMs = 0
  private storedMs = this.startedMs
  private readonly archiver: Archiver
  private readonly encodedMs: number | undefined

  constructor(archiver: Archiver) {
    this.archiver = archiver
    this.encodedMs = archiver.encodedMs
  }

  /** The same rows, timed. */
  async *read(rows: AsyncIterable<LogScoreChunk>): AsyncGenerator<LogScoreChunk> {
    let askedMs = performance.now()
    for await (const chunk of rows) {
      this.readMs += performance.now() - askedMs
      yield chunk
      askedMs = performance.now()
    }
    this.readMs += performance.now() - askedMs
  }

  /** To be called when the archive holds the batch. */
  stored(): void {
    this.storedMs = performance.now()
  }

  /** To be called when the mark has moved. */
  get done(): { readonly steps: BatchSteps; readonly elapsedMs: number } {
    const { startedMs, storedMs, readMs, archiver } = this
    const encodeMs = archiver.encodedMs === undefined ? null : archiver.encodedMs - (this.encodedMs ?? 0)
    const endedMs = performance.now()
    const sendMs = Math.max(0, storedMs - startedMs - readMs - (encodeMs ?? 0))
    return { steps: { readMs, encodeMs, sendMs, markMs: endedMs - storedMs }, elapsedMs: endedMs - startedMs }
  }
}
