import { type Bytes, bytesOf } from './varint.js'

/** What is wrong with a block's data; the reader adds where. */
export class Damage extends Error {}

/** Reads encoded rows in order. A byte beyond the end counts as 0: who reads rows looks after each. */
export interface Cursor extends Bytes {
  readonly bytes: Buffer
  position: number
  /** Whether the number being read goes on. */
  more: boolean
  /** The last long read, as halves. */
  low: number
  high: number
}

export function cursorOf(data: Buffer): Cursor {
  return { bytes: data, view: bytesOf(data).view, position: 0, more: false, low: 0, high: 0 }
}

/** Up to 28 bits of a variable-length number. */
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

export function readInt(cursor: Cursor): number {
  let bits = readBits28(cursor)
  if (cursor.more) {
    const top = readBits28(cursor)
    if (top > 0xf) throw new Damage('expected an int, found a number of more than 32 bits')
    bits |= top << 28
  }
  return (bits >>> 1) ^ -(bits & 1)
}

export function readIntFromZero(cursor: Cursor, field: string): number {
  const value = readInt(cursor)
  if (value < 0) throw new Damage(`expected ${field} to be 0 or more, found ${value}`)
  return value
}

/** Reads a long of 0 or more into the cursor's halves. */
export function readLongFromZero(cursor: Cursor, field: string): void {
  const first = readBits28(cursor)
  const second = cursor.more ? readBits28(cursor) : 0
  const third = cursor.more ? readBits28(cursor) : 0
  if (third > 0xff) throw new Damage(`expected ${field} to be a long, found a number of more than 64 bits`)
  if (first & 1) throw new Damage(`expected ${field} to be 0 or more, found a negative number`)
  cursor.low = ((first >>> 1) | (second << 27)) >>> 0
  cursor.high = ((second >>> 5) | (third << 23)) >>> 0
}

export function wholeSeconds({ low, high }: Cursor): number {
  const micros = high * 2 ** 32 + low
  const seconds = micros / 1e6
  if (Number.isInteger(seconds) && seconds < 2 ** 32) return seconds
  throw new Damage(`expected ts to be whole seconds between 1970 and 2106, found ${micros} microseconds`)
}

export function readFloat(cursor: Cursor): number {
  const at = cursor.position
  cursor.position += 4
  return cursor.position <= cursor.bytes.length ? cursor.view.getFloat32(at, true) : 0
}

/** The branch of a union of null and something: 1 for null, as chunks have it. */
export function readNull(cursor: Cursor): 0 | 1 {
  const branch = readBits28(cursor)
  if (branch > 2 || branch === 1) throw new Damage(`expected a union's branch 0 or 1, found ${branch / 2}`)
  return branch === 0 ? 1 : 0
}

export function readDouble(cursor: Cursor): number {
  const at = cursor.position
  cursor.position += 8
  return cursor.position <= cursor.bytes.length ? cursor.view.getFloat64(at, true) : 0
}

/** A long of at most 32 bits. */
export function readUnsigned(cursor: Cursor, field: string): number {
  readLongFromZero(cursor, field)
  if (cursor.high !== 0) throw new Damage(`expected ${field} to be below 2^32, found a larger number`)
  return cursor.low
}

/** A text that may be null. */
export function readNullableText(cursor: Cursor, field: string): string | null {
  const start = skipNullableText(cursor, field)
  return start < 0 ? null : cursor.bytes.toString('utf8', start, cursor.position)
}

/** Moves behind a text that may be null. @returns where it begins; -1 for null. */
export function skipNullableText(cursor: Cursor, field: string): number {
  if (readNull(cursor) !== 0) return -1
  const length = readIntFromZero(cursor, `the length of ${field}`)
  const start = cursor.position
  cursor.position += length
  return start
}
