import type { IdRange } from '../contract/archive-reader.js'
import type { LogScoreChunk } from '../contract/log-score.js'

/** Rows `from` (inclusive) to `to` (exclusive) of a chunk, in the same memory. At least one row. */
export function viewRows(chunk: LogScoreChunk, from: number, to: number): LogScoreChunk {
  if (from === 0 && to === chunk.rows) return chunk
  return {
    ...chunk,
    rows: to - from,
    id: chunk.id.subarray(from, to),
    monitorId: chunk.monitorId.subarray(from, to),
    monitorIdNull: chunk.monitorIdNull.subarray(from, to),
    serverId: chunk.serverId.subarray(from, to),
    tsSeconds: chunk.tsSeconds.subarray(from, to),
    score: chunk.score.subarray(from, to),
    step: chunk.step.subarray(from, to),
    offset: chunk.offset.subarray(from, to),
    offsetNull: chunk.offsetNull.subarray(from, to),
    rtt: chunk.rtt.subarray(from, to),
    rttNull: chunk.rttNull.subarray(from, to),
    attributes: chunk.attributes.subarray(from, to),
  }
}

/** The first row from `from` on whose id is above `id`; `chunk.rows` where none is. */
export function rowAfter(chunk: LogScoreChunk, id: bigint, from = 0): number {
  let low = from
  let high = chunk.rows
  while (low < high) {
    const middle = (low + high) >>> 1
    if (chunk.id[middle]! > id) high = middle
    else low = middle + 1
  }
  return low
}

/** The rows up to an id and those after it; undefined for none. */
export function splitChunk(
  chunk: LogScoreChunk,
  upToId: bigint,
): readonly [LogScoreChunk | undefined, LogScoreChunk | undefined] {
  const { rows } = chunk
  if (chunk.id[rows - 1]! <= upToId) return [chunk, undefined]
  const end = rowAfter(chunk, upToId)
  return [end === 0 ? undefined : viewRows(chunk, 0, end), viewRows(chunk, end, rows)]
}

/** The rows of ascending chunks that are in the range; asks for no chunk after it. */
export async function* rowsInRange(
  chunks: AsyncIterable<LogScoreChunk>,
  { afterId, upToId }: IdRange,
): AsyncGenerator<LogScoreChunk> {
  for await (const chunk of chunks) {
    const from = rowAfter(chunk, afterId)
    const to = rowAfter(chunk, upToId, from)
    if (to > from) yield viewRows(chunk, from, to)
    if (to < chunk.rows) return
  }
}

/** The property `exact` of a chunk, for one that is made of it. */
export function exactOf({ exact }: LogScoreChunk): Pick<LogScoreChunk, 'exact'> {
  return exact === undefined ? {} : { exact }
}

/** The first `limit` rows; asks for no chunk after them. */
export async function* firstRows(
  chunks: AsyncIterable<LogScoreChunk>,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<LogScoreChunk> {
  let left = limit
  for await (const chunk of chunks) {
    yield chunk.rows <= left ? chunk : viewRows(chunk, 0, left)
    left -= chunk.rows
    if (left <= 0) return
  }
}
