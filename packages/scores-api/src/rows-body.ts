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
