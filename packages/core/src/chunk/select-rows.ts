import type { LogScoreChunk } from '../contract/log-score.js'
import { exactOf } from './chunk-views.js'

/** The rows of `chunks` whose ids are not in `left` (ascending). */
export async function* withoutIds(
  chunks: AsyncIterable<LogScoreChunk>,
  left: BigUint64Array,
): AsyncGenerator<LogScoreChunk> {
  if (left.length === 0) return yield* chunks
  let next = 0
  for await (const chunk of chunks) {
    const keep: number[] = []
    for (let i = 0; i < chunk.rows; i++) {
      const id = chunk.id[i]!
      while (next < left.length && left[next]! < id) next++
      if (left[next] !== id) keep.push(i)
    }
    if (keep.length === chunk.rows) yield chunk
    else if (keep.length > 0) yield pick(chunk, keep)
  }
}

/** What no archive keeps of these rows. */
function unknownOf({ unknownKeys, unknownColumns }: LogScoreChunk) {
  return { ...(unknownKeys && { unknownKeys }), ...(unknownColumns && { unknownColumns }) }
}

function pick(chunk: LogScoreChunk, keep: readonly number[]): LogScoreChunk {
  const at = <T extends { readonly length: number; slice(): T; [i: number]: unknown }>(column: T): T => {
    const kept = column.slice()
    keep.forEach((from, to) => {
      kept[to] = column[from]
    })
    return kept
  }
  return {
    rows: keep.length,
    id: at(chunk.id),
    monitorId: at(chunk.monitorId),
    monitorIdNull: at(chunk.monitorIdNull),
    serverId: at(chunk.serverId),
    tsSeconds: at(chunk.tsSeconds),
    score: at(chunk.score),
    step: at(chunk.step),
    offset: at(chunk.offset),
    offsetNull: at(chunk.offsetNull),
    rtt: at(chunk.rtt),
    rttNull: at(chunk.rttNull),
    attributes: at(chunk.attributes),
    dictionary: chunk.dictionary,
    ...exactOf(chunk),
    ...unknownOf(chunk),
  }
}
