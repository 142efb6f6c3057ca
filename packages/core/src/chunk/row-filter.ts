import type { ScanQuery } from '../contract/archive-reader.js'
import type { LogScoreChunk } from '../contract/log-score.js'
import { chunkFromRows, rowsFromChunk } from './chunk.js'
import { firstRows, rowsInRange } from './chunk-views.js'

/** What of a {@link ScanQuery} a single row can be held against; ids apart. */
export type RowFilter = Pick<ScanQuery, 'serverId' | 'monitorId' | 'fromSeconds' | 'toSeconds'>

/** Whether a row of these values is wanted. */
export function matchRow(filter: RowFilter, serverId: number, monitorId: number, tsSeconds: number): boolean {
  return (
    (filter.serverId === undefined || serverId === filter.serverId) &&
    (filter.monitorId === undefined || monitorId === filter.monitorId) &&
    (filter.fromSeconds === undefined || tsSeconds >= filter.fromSeconds) &&
    (filter.toSeconds === undefined || tsSeconds <= filter.toSeconds)
  )
}

/** The rows of ascending chunks that a query wants: what `scan` does, for archives that can leave out nothing by themselves. */
export async function* matchingRows(
  chunks: AsyncIterable<LogScoreChunk>,
  query: ScanQuery,
): AsyncGenerator<LogScoreChunk> {
  yield* firstRows(matching(rowsInRange(chunks, query), query), query.limit)
}

async function* matching(chunks: AsyncIterable<LogScoreChunk>, query: ScanQuery): AsyncGenerator<LogScoreChunk> {
  for await (const chunk of chunks) {
    const rows = rowsFromChunk(chunk).filter((row) => matchRow(query, row.serverId, row.monitorId ?? 0, row.tsSeconds))
    if (rows.length > 0) yield { ...chunkFromRows(rows), ...saidOf(chunk) }
  }
}

/** What a chunk says of its rows. */
function saidOf({ exact, float32 }: LogScoreChunk): Pick<LogScoreChunk, 'exact' | 'float32'> {
  return { ...(exact && { exact }), ...(float32 && { float32 }) }
}
