import {
  type Attributes,
  type allocateChunk,
  type FloatColumn,
  type LogScoreChunk,
  matchRow,
  type RowFilter,
} from '@archiver/core'
import { type Bytes, bytesOf, lowHalf } from './varint.js'

/** What is wrong with a block's data; the reader adds where. */
export class Damage extends Error {}

/** Reads encoded rows in order. */
interface Cursor extends Bytes {
  readonly bytes: Buffer
  position: number
  /** Whether the number being read goes on. */
  more: boolean
  /** The last long read, as halves. */
  low: number
  high: number
}

/** All numbers of the record are. */
const float32: readonly FloatColumn[] = ['score', 'step', 'offset']

const noAttributes: Attributes = { leap: null, error: null, warning: null }

type Columns = ReturnType<typeof allocateChunk>

/** Memory that the blocks of a file are decoded into, one after the other. */
export interface DecodeTarget {
  readonly columns: Columns
  /** Of all rows, also of those that the filter leaves out. The ids of the columns where there is no filter. */
  readonly allIds: BigUint64Array
  readonly filter: RowFilter | undefined
}

/** Rows that were decoded at once. */
export interface Decoded {
  /** Those of {@link DecodeTarget.allIds} that count. */
  readonly allRows: number
  /** Without those that were left out: it may have no row. */
  readonly chunk: LogScoreChunk
}

/** Decodes the rows of one block into chunks. */
export class BlockDecoder {
  readonly #cursor: Cursor
  readonly #target: DecodeTarget
  #rowsLeft: number

  constructor(data: Buffer, rows: number, target: DecodeTarget) {
    this.#cursor = { bytes: data, view: bytesOf(data).view, position: 0, more: false, low: 0, high: 0 }
    this.#rowsLeft = rows
    this.#target = target
  }

  /** Bytes of the block's data behind the last whole row. */
  get position(): number {
    return this.#cursor.position
  }

  /** The next rows; undefined when all were given. Throws {@link Damage} where the data is not what it should be. */
  next(): Decoded | undefined {
    if (this.#rowsLeft === 0) {
      const left = this.#cursor.bytes.length - this.#cursor.position
      if (left > 0) throw new Damage(`expected the end of the block, found ${left} more bytes`)
      return undefined
    }
    const { columns } = this.#target
    const allRows = Math.min(this.#rowsLeft, columns.serverId.length)
    const dictionary = new Dictionary()
    const rows = decodeRows(this.#cursor, this.#target, dictionary, allRows)
    this.#rowsLeft -= allRows
    return { allRows, chunk: { ...columns, rows, dictionary: dictionary.entries, float32 } }
  }
}

/** Gives each distinct leap and error one index, by their encoded bytes. */
class Dictionary {
  readonly entries: Attributes[] = []
  readonly #indexes = new Map<string, number>()
  #nothing = -1

  /** The index of the entry encoded at `start` up to the cursor. */
  indexOf(cursor: Cursor, start: number): number {
    if (cursor.position - start > 2) return this.#find(cursor, start)
    // Two nulls, as in most rows.
    if (this.#nothing < 0) this.#nothing = this.entries.push(noAttributes) - 1
    return this.#nothing
  }

  #find(cursor: Cursor, start: number): number {
    const key = cursor.bytes.toString('latin1', start, cursor.position)
    const known = this.#indexes.get(key)
    if (known !== undefined) return known
    this.#indexes.set(key, this.entries.length)
    return this.entries.push(decodeTail({ ...cursor, position: start })) - 1
  }
}

/** Decodes `allRows` rows; those that the filter leaves out only as far as it looks. @returns the rows that are left. */
function decodeRows(
  cursor: Cursor,
  { columns, allIds, filter }: DecodeTarget,
  dictionary: Dictionary,
  allRows: number,
): number {
  const { monitorId, monitorIdNull, serverId, tsSeconds, score, step, attributes } = columns
  const { offset, offsetNull, rtt, rttNull } = columns
  const idHalves = new Uint32Array(allIds.buffer, allIds.byteOffset, allIds.length * 2)
  monitorIdNull.fill(0, 0, allRows)
  let lastMicrosLow = -1
  let lastMicrosHigh = -1
  let lastSeconds = 0
  let row = 0
  for (let read = 0; read < allRows; read++) {
    const start = cursor.position
    readLongFromZero(cursor, 'id')
    idHalves[2 * read + lowHalf] = cursor.low
    idHalves[2 * read + 1 - lowHalf] = cursor.high
    serverId[row] = readIntFromZero(cursor, 'server_id')
    monitorId[row] = readIntFromZero(cursor, 'monitor_id')
    readLongFromZero(cursor, 'ts')
    if (cursor.low !== lastMicrosLow || cursor.high !== lastMicrosHigh) {
      lastSeconds = wholeSeconds(cursor)
      lastMicrosLow = cursor.low
      lastMicrosHigh = cursor.high
    }
    tsSeconds[row] = lastSeconds
    if (filter !== undefined && !matchRow(filter, serverId[row]!, monitorId[row]!, lastSeconds)) {
      skipRest(cursor)
    } else {
      score[row] = readFloat(cursor)
      step[row] = readFloat(cursor)
      offsetNull[row] = readNull(cursor)
      offset[row] = offsetNull[row] ? 0 : readFloat(cursor)
      rttNull[row] = readNull(cursor)
      rtt[row] = rttNull[row] ? 0 : readInt(cursor)
      attributes[row] = readTail(cursor, dictionary)
      if (filter !== undefined) columns.id[row] = allIds[read]!
      row++
    }
    if (cursor.position > cursor.bytes.length) {
      cursor.position = start
      throw new Damage('expected one more row, found the end of the block')
    }
  }
  return row
}

/** Passes over what follows `ts`; the same damage is found as when it is decoded. */
function skipRest(cursor: Cursor): void {
  cursor.position += 8
  if (readNull(cursor) === 0) cursor.position += 4
  if (readNull(cursor) === 0) readInt(cursor)
  skipTail(cursor)
}

/** Up to 28 bits of a variable-length number. A byte beyond the end counts as 0: {@link decodeRows} looks after each row. */
function readBits28(cursor: Cursor): number {
  const { bytes } = cursor
  let byte = bytes[cursor.position++]!
  let bits = byte & 0x7f
  for (let shift = 7; byte > 0x7f && shift < 28; shift += 7) {
    byte = bytes[cursor.position++]!
    bits |= (byte & 0x7f) << shift
  }
  cursor.more = byte > 0x7f
  return bits
}

function readInt(cursor: Cursor): number {
  let bits = readBits28(cursor)
  if (cursor.more) {
    const top = readBits28(cursor)
    if (top > 0xf) throw new Damage('expected an int, found a number of more than 32 bits')
    bits |= top << 28
  }
  return (bits >>> 1) ^ -(bits & 1)
}

function readIntFromZero(cursor: Cursor, field: string): number {
  const value = readInt(cursor)
  if (value < 0) throw new Damage(`expected ${field} to be 0 or more, found ${value}`)
  return value
}

/** Reads a long of 0 or more into the cursor's halves. */
function readLongFromZero(cursor: Cursor, field: string): void {
  const first = readBits28(cursor)
  const second = cursor.more ? readBits28(cursor) : 0
  const third = cursor.more ? readBits28(cursor) : 0
  if (third > 0xff) throw new Damage(`expected ${field} to be a long, found a number of more than 64 bits`)
  if (first & 1) throw new Damage(`expected ${field} to be 0 or more, found a negative number`)
  cursor.low = ((first >>> 1) | (second << 27)) >>> 0
  cursor.high = ((second >>> 5) | (third << 23)) >>> 0
}

function wholeSeconds({ low, high }: Cursor): number {
  const micros = high * 2 ** 32 + low
  const seconds = micros / 1e6
  if (Number.isInteger(seconds) && seconds < 2 ** 32) return seconds
  throw new Damage(`expected ts to be whole seconds between 1970 and 2106, found ${micros} microseconds`)
}

function readFloat(cursor: Cursor): number {
  const at = cursor.position
  cursor.position += 4
  return cursor.position <= cursor.bytes.length ? cursor.view.getFloat32(at, true) : 0
}

/** The branch of a union of null and something: 1 for null, as chunks have it. */
function readNull(cursor: Cursor): 0 | 1 {
  const branch = readBits28(cursor)
  if (branch > 2 || branch === 1) throw new Damage(`expected a union's branch 0 or 1, found ${branch / 2}`)
  return branch === 0 ? 1 : 0
}

function readTail(cursor: Cursor, dictionary: Dictionary): number {
  const start = cursor.position
  skipTail(cursor)
  return dictionary.indexOf(cursor, start)
}

function skipTail(cursor: Cursor): void {
  if (readNull(cursor) === 0) readInt(cursor)
  if (readNull(cursor) === 0) {
    const length = readIntFromZero(cursor, 'the length of error')
    cursor.position += length
  }
}

function decodeTail(cursor: Cursor): Attributes {
  const leap = readNull(cursor) ? null : readInt(cursor)
  if (readNull(cursor)) return { ...noAttributes, leap }
  const length = readInt(cursor)
  const error = cursor.bytes.toString('utf8', cursor.position, cursor.position + length)
  return { ...noAttributes, leap, error }
}
