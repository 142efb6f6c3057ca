import { ordinaryRows } from '@archiver/conformance'
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

const texts = [null, '{"leap":0}', '{ "error": "時計, \\"x\\"",\n "stratum": 2 }']

/** Rows as an archive that loses nothing gives them. */
export const exactRows: readonly LogScore[] = ordinaryRows(60, 2_000_001n).map((row, i) => ({
  ...row,
  serverId: 4_294_967_295 - i,
  score: row.score + 0.1,
  warning: i % 5 === 0 ? 'odd' : null,
  json: texts[i % texts.length]!,
}))

export async function* exactChunks(rows: readonly LogScore[]): AsyncGenerator<LogScoreChunk> {
  for await (const chunk of chunksFromRows(rows, 25)) yield { ...chunk, exact: true }
}
