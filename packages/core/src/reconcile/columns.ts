import { chunkColumns, rowsFromChunk } from '../chunk/chunk.js'
import { viewRows } from '../chunk/chunk-views.js'
import type { LogScore, LogScoreChunk } from '../contract/log-score.js'
import type { DifferentColumn } from './finding.js'

/** Columns whose rows are the same exactly where their bytes are: a value under a null flag is 0. */
const columns = chunkColumns.filter((name) => name !== 'id' && name !== 'attributes')

/** A row of a chunk, and some that follow. */
export interface Place {
  readonly chunk: LogScoreChunk
  readonly row: number
}

/** Whether so many rows have the same ids in the same order. */
export function equalIds(a: Place, b: Place, rows: number): boolean {
  return equalBytes(a.chunk.id, a.row, b.chunk.id, b.row, rows)
}

/**
 * Whether so many rows of equal ids are the same in all columns. Columns are compared as bytes, so that 0 and -0 differ
 * and nothing is made of a row; attributes by their dictionaries.
 */
export function equalRows(a: Place, b: Place, rows: number): boolean {
  const same = columns.every((name) => equalBytes(a.chunk[name], a.row, b.chunk[name], b.row, rows))
  return same && equalAttributes(a, b, rows)
}

type Column = LogScoreChunk['id'] | LogScoreChunk[(typeof columns)[number]]

function equalBytes(a: Column, i: number, b: Column, j: number, rows: number): boolean {
  return bytesOf(a, i, rows).equals(bytesOf(b, j, rows))
}

function bytesOf({ buffer, byteOffset, BYTES_PER_ELEMENT }: Column, row: number, rows: number): Buffer {
  // No chunk is in shared memory.
  return Buffer.from(buffer as ArrayBuffer, byteOffset + row * BYTES_PER_ELEMENT, rows * BYTES_PER_ELEMENT)
}

function equalAttributes(a: Place, b: Place, rows: number): boolean {
  const { attributes: left, dictionary: leftEntries } = a.chunk
  const { attributes: right, dictionary: rightEntries } = b.chunk
  let lastLeft = -1
  let lastRight = -1
  for (let k = 0; k < rows; k++) {
    const l = left[a.row + k]!
    const r = right[b.row + k]!
    if (l === lastLeft && r === lastRight) continue
    const x = leftEntries[l]!
    const y = rightEntries[r]!
    if (x.leap !== y.leap || x.error !== y.error || x.warning !== y.warning || !sameJson(x, y)) return false
    lastLeft = l
    lastRight = r
  }
  return true
}

/** Where one side knows the meaning only, that is what was compared. */
function sameJson({ json: x }: Pick<LogScore, 'json'>, { json: y }: Pick<LogScore, 'json'>): boolean {
  return x === y || x === undefined || y === undefined
}

const names: readonly (readonly [keyof LogScore, string])[] = [
  ['serverId', 'server_id'],
  ['tsSeconds', 'ts'],
  ['monitorId', 'monitor_id'],
  ['score', 'score'],
  ['step', 'step'],
  ['offset', 'offset'],
  ['rtt', 'rtt'],
  ['leap', 'leap'],
  ['error', 'error'],
  ['warning', 'warning'],
  ['json', 'attributes'],
]

/** In which columns two rows differ, with both values. */
export function differentColumns(source: Place, archive: Place): DifferentColumn[] {
  const [a, b] = [rowAt(source), rowAt(archive)]
  return names
    .filter(([key]) => (key === 'json' ? !sameJson(a, b) : !Object.is(a[key], b[key])))
    .map(([key, column]) => ({ column, source: a[key], archive: b[key] }))
}

function rowAt({ chunk, row }: Place): LogScore {
  // A view of one row is one row.
  return rowsFromChunk(viewRows(chunk, row, row + 1))[0]!
}
