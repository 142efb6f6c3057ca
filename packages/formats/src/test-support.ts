import { chunksFromRows, type LogScore, type LogScoreChunk } from '@archiver/core'

/** All pieces as one text; each is copied before the next is asked for. */
export async function textOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Buffer[] = []
  for await (const piece of pieces) all.push(Buffer.from(piece))
  return Buffer.concat(all).toString()
}

/** Rows as an archive of 32-bit floats gives them. */
export async function* floatChunks(rows: readonly LogScore[]): AsyncGenerator<LogScoreChunk> {
  for await (const chunk of chunksFromRows(rows, 100)) {
    for (const column of [chunk.score, chunk.step, chunk.offset]) column.set(Float32Array.from(column))
    yield { ...chunk, float32: ['score', 'step', 'offset'] }
  }
}

export function isoOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000', '')
}
