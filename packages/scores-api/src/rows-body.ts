import type { LogScoreChunk } from '@archiver/core'
import { encodeText } from '@archiver/formats'
import { goElementForm, goForm } from './go-form.js'
import type { PageFormat } from './request-query.js'

export const contentTypes: Readonly<Record<PageFormat, string>> = {
  json: 'application/json',
  ndjson: 'application/x-ndjson',
}

/** What a page holds, known when its rows were read. */
export class PageRows {
  rows = 0
  lastId = 0n
  /** The latest time of a row, in seconds. */
  newestSeconds = 0

  async *count(chunks: AsyncIterable<LogScoreChunk>): AsyncGenerator<LogScoreChunk> {
    for await (const chunk of chunks) {
      this.rows += chunk.rows
      this.lastId = chunk.id[chunk.rows - 1]!
      for (let row = 0; row < chunk.rows; row++) {
        if (chunk.tsSeconds[row]! > this.newestSeconds) this.newestSeconds = chunk.tsSeconds[row]!
      }
      yield chunk
    }
  }
}

/**
 * Chunks of an archive, that end with the signal also where the archive hears of it late: a statement that is under way may
 * not be one that can be ended.
 */
export class EndingChunks implements AsyncIterable<LogScoreChunk> {
  readonly #chunks: AsyncIterator<LogScoreChunk>
  readonly #aborted: Promise<never>

  constructor(chunks: AsyncIterable<LogScoreChunk>, signal: AbortSignal) {
    this.#chunks = chunks[Symbol.asyncIterator]()
    this.#aborted = new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
    this.#aborted.catch(() => undefined)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<LogScoreChunk> {
    for (;;) {
      const next = await Promise.race([this.#chunks.next(), this.#aborted])
      if (next.done) return
      yield next.value
    }
  }

  /** Resolves when the archive has heard that it is over. What it says then nobody waits for any more. */
  async close(): Promise<void> {
    try {
      await this.#chunks.return?.()
    } catch {
      // As said.
    }
  }
}

/** The body of a page up to its last row. Pieces are valid until the next is asked for. */
export async function* bodyOf(format: PageFormat, chunks: AsyncIterable<LogScoreChunk>): AsyncGenerator<Uint8Array> {
  if (format === 'ndjson') {
    yield* encodeText(chunks, goForm)
    return
  }
  yield Buffer.from('{"scores":[')
  let isFirst = true
  for await (const piece of encodeText(chunks, goElementForm)) {
    yield isFirst ? piece.subarray(1) : piece
    isFirst = false
  }
}

/** What follows the last row. */
export function endOf(format: PageFormat, next: string | undefined): Uint8Array {
  return Buffer.from(format === 'json' ? `],"next":${JSON.stringify(next ?? null)}}\n` : '')
}
