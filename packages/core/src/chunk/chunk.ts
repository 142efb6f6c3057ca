import { RowError } from '../contract/errors.js'
import type { Attributes, LogScore, LogScoreChunk } from '../contract/log-score.js'

/** The name of a column of a chunk. */
export type ChunkColumn = Exclude<
  keyof LogScoreChunk,
  'rows' | 'dictionary' | 'unknownKeys' | 'unknownColumns' | 'exact' | 'float32'
>

/** Allocates the columns of a chunk for up to `capacity` rows; about 49 bytes a row. */
export function allocateChunk(capacity: number): Pick<LogScoreChunk, ChunkColumn> {
  return {
    id: new BigUint64Array(capacity),
    monitorId: new Uint32Array(capacity),
    monitorIdNull: new Uint8Array(capacity),
    serverId: new Uint32Array(capacity),
    tsSeconds: new Uint32Array(capacity),
    score: new Float64Array(capacity),
    step: new Float64Array(capacity),
    offset: new Float64Array(capacity),
    offsetNull: new Uint8Array(capacity),
    rtt: new Int32Array(capacity),
    rttNull: new Uint8Array(capacity),
    attributes: new Uint32Array(capacity),
  }
}

/** Every column of a chunk: an array each, with a place for each row. */
export const chunkColumns = Object.keys(allocateChunk(0)) as readonly ChunkColumn[] // an object of these and no others

/**
 * Columns from plain rows, for tools that have no source table. Rows must be in ascending order of id.
 *
 * @throws RowError for a number that its column cannot hold.
 */
export function chunkFromRows(rows: readonly LogScore[]): LogScoreChunk {
  const columns = allocateChunk(rows.length)
  const dictionary: Attributes[] = []
  const indexes = new Map<string, number>()
  rows.forEach((row, i) => {
    columns.id[i] = row.id
    columns.monitorId[i] = row.monitorId ?? 0
    columns.monitorIdNull[i] = row.monitorId === null ? 1 : 0
    columns.serverId[i] = row.serverId
    columns.tsSeconds[i] = row.tsSeconds
    columns.score[i] = row.score
    columns.step[i] = row.step
    columns.offset[i] = row.offset ?? 0
    columns.offsetNull[i] = row.offset === null ? 1 : 0
    columns.rtt[i] = row.rtt ?? 0
    columns.rttNull[i] = row.rtt === null ? 1 : 0
    columns.attributes[i] = indexOf(row, dictionary, indexes)
    requireHeld(row, columns, i)
  })
  return { ...columns, rows: rows.length, dictionary }
}

/** Typed arrays wrap what they cannot hold: that must not pass for a value. */
function requireHeld(row: LogScore, columns: ReturnType<typeof allocateChunk>, i: number): void {
  const held: readonly (readonly [string, bigint | number | null, bigint | number | undefined])[] = [
    ['id', row.id, columns.id[i]],
    ['monitor_id', row.monitorId ?? 0, columns.monitorId[i]],
    ['server_id', row.serverId, columns.serverId[i]],
    ['ts', row.tsSeconds, columns.tsSeconds[i]],
    ['rtt', row.rtt ?? 0, columns.rtt[i]],
  ]
  const wrong = held.find(([, value, kept]) => value !== kept)
  if (wrong !== undefined)
    throw new RowError(row.id, wrong[0], `${wrong[1]} is not a whole number of the column's range`)
}

function indexOf({ leap, error, warning, json }: Attributes, dictionary: Attributes[], indexes: Map<string, number>) {
  const text = json === undefined ? {} : { json }
  const key = JSON.stringify([leap, error, warning, text])
  const known = indexes.get(key)
  if (known !== undefined) return known
  indexes.set(key, dictionary.length)
  return dictionary.push({ leap, error, warning, ...text }) - 1
}

/** The rows of a chunk as plain values; they stay valid when the chunk does not. */
export function rowsFromChunk(chunk: LogScoreChunk): LogScore[] {
  return Array.from({ length: chunk.rows }, (_, i) => ({
    id: chunk.id[i]!,
    monitorId: chunk.monitorIdNull[i] ? null : chunk.monitorId[i]!,
    serverId: chunk.serverId[i]!,
    tsSeconds: chunk.tsSeconds[i]!,
    score: chunk.score[i]!,
    step: chunk.step[i]!,
    offset: chunk.offsetNull[i] ? null : chunk.offset[i]!,
    rtt: chunk.rttNull[i] ? null : chunk.rtt[i]!,
    ...chunk.dictionary[chunk.attributes[i]!]!,
  }))
}

/** Plain rows as a stream of chunks, the form {@link Archiver.store} takes. */
export async function* chunksFromRows(
  rows: Iterable<LogScore> | AsyncIterable<LogScore>,
  rowsPerChunk = 10_000,
): AsyncGenerator<LogScoreChunk> {
  let page: LogScore[] = []
  for await (const row of rows) {
    if (page.push(row) < rowsPerChunk) continue
    yield chunkFromRows(page)
    page = []
  }
  if (page.length > 0) yield chunkFromRows(page)
}
