import { DAY_SECONDS, IS_LITTLE_ENDIAN } from '@archiver/core'
import { type AttributeBytes, attributeBytes } from './attributes.js'
import { firstUnfit } from './fit.js'
import type { Rows } from './rows.js'
import { columns } from './table.js'
import { lengthAndText, varintBytes, writeVarint } from './varint.js'

/** A block of ClickHouse's Native format and what its values went through. */
export interface Block {
  readonly bytes: Uint8Array
  /** Rows whose negative `rtt` became NULL. */
  readonly rttNegative: number
}

const headers = columns.map(({ name, type }) => Buffer.concat([lengthAndText(name), lengthAndText(type)]))
const headerBytes = headers.reduce((sum, header) => sum + header.length, 0)
/** Two varints: the number of columns and, in up to five bytes, of rows. */
const countBytes = 1 + 5
/** Values and null flags of every column but the texts. */
const fixedRowBytes = 2 + 8 + 4 + 4 + 4 + 4 + 4 + (1 + 8) + (1 + 4) + (1 + 1) + 1 + 1

/**
 * Turns rows into blocks of the Native format, column by column: whole columns are copied as bytes where ClickHouse's
 * layout is the chunk's, and each distinct text is encoded once.
 *
 * One encoder serves one batch after the other; the blocks it returns are its callers' own.
 */
export class NativeEncoder {
  #dt = new Uint16Array(0)
  #float = new Float32Array(0)
  #rtt = new Int32Array(0)
  #flags = new Uint8Array(0)
  #block: Buffer = Buffer.alloc(0)
  #at = 0

  constructor() {
    if (!IS_LITTLE_ENDIAN) throw new Error('the Native format is little-endian, and so must this machine be')
  }

  /**
   * @throws RowError for the first row that fits no documented conversion; nothing of the block exists then.
   */
  encode(rows: Rows): Block {
    const { chunk, from, to } = rows
    const count = to - from
    const attributes = attributeBytes(chunk.dictionary)
    if (attributes.unfit) throw firstUnfit(rows)
    this.#reserve(count)
    this.#start(count, textBytes(rows, attributes))
    this.#column(0, this.#days(rows))
    this.#column(1, chunk.id.subarray(from, to))
    this.#column(2, chunk.monitorId.subarray(from, to))
    this.#column(3, chunk.serverId.subarray(from, to))
    this.#column(4, chunk.tsSeconds.subarray(from, to))
    this.#column(5, this.#floats(chunk.score, rows))
    this.#column(6, this.#floats(chunk.step, rows))
    this.#column(7, chunk.offsetNull.subarray(from, to), this.#finite(chunk.offset.subarray(from, to), rows))
    const rttNegative = this.#rttColumn(rows)
    this.#leapColumn(rows, attributes)
    this.#textColumn(10, rows, attributes.warning)
    this.#textColumn(11, rows, attributes.error)
    return { bytes: this.#block.subarray(0, this.#at), rttNegative }
  }

  #reserve(count: number): void {
    if (count <= this.#dt.length) return
    this.#dt = new Uint16Array(count)
    this.#float = new Float32Array(count)
    this.#rtt = new Int32Array(count)
    this.#flags = new Uint8Array(count)
  }

  #start(count: number, texts: number): void {
    this.#block = Buffer.allocUnsafeSlow(countBytes + headerBytes + count * fixedRowBytes + texts)
    this.#at = writeVarint(this.#block, 0, columns.length)
    this.#at = writeVarint(this.#block, this.#at, count)
  }

  /** A column's header, then its arrays as they are in memory. */
  #column(index: number, ...arrays: ArrayBufferView[]): void {
    this.#bytes(headers[index]!)
    for (const { buffer, byteOffset, byteLength } of arrays) this.#bytes(new Uint8Array(buffer, byteOffset, byteLength))
  }

  #bytes(bytes: Uint8Array): void {
    this.#block.set(bytes, this.#at)
    this.#at += bytes.length
  }

  #days({ chunk, from, to }: Rows): Uint16Array {
    const days = this.#dt
    const seconds = chunk.tsSeconds
    for (let i = from; i < to; i++) days[i - from] = (seconds[i]! / DAY_SECONDS) | 0
    return days.subarray(0, to - from)
  }

  #floats(values: Float64Array, rows: Rows): Float32Array {
    const floats = this.#float.subarray(0, rows.to - rows.from)
    floats.set(values.subarray(rows.from, rows.to))
    return this.#finite(floats, rows)
  }

  #finite<A extends Float32Array | Float64Array>(values: A, rows: Rows): A {
    let sum = 0
    // A value times 0 is 0, but NaN for an infinite one and for NaN.
    for (let i = 0; i < values.length; i++) sum += values[i]! * 0
    if (sum !== 0) throw firstUnfit(rows)
    return values
  }

  #rttColumn({ chunk, from, to }: Rows): number {
    const flags = this.#flags
    const values = this.#rtt
    let negative = 0
    for (let i = from, j = 0; i < to; i++, j++) {
      const value = chunk.rtt[i]!
      const below = value >>> 31
      negative += below
      flags[j] = chunk.rttNull[i]! | below
      values[j] = below ? 0 : value
    }
    this.#column(8, flags.subarray(0, to - from), values.subarray(0, to - from))
    return negative
  }

  #leapColumn({ chunk, from, to }: Rows, { leap, leapNull }: AttributeBytes): void {
    this.#bytes(headers[9]!)
    const { attributes } = chunk
    const block = this.#block
    let at = this.#at
    for (let i = from; i < to; i++) block[at++] = leapNull[attributes[i]!]!
    for (let i = from; i < to; i++) block[at++] = leap[attributes[i]!]!
    this.#at = at
  }

  #textColumn(index: number, { chunk, from, to }: Rows, { texts, isNull }: AttributeBytes['error']): void {
    this.#bytes(headers[index]!)
    const { attributes } = chunk
    const block = this.#block
    let at = this.#at
    for (let i = from; i < to; i++) block[at++] = isNull[attributes[i]!]!
    for (let i = from; i < to; i++) {
      const text = texts[attributes[i]!]!
      if (text.length === 1) {
        block[at++] = text[0]!
        continue
      }
      block.set(text, at)
      at += text.length
    }
    this.#at = at
  }
}

/** The size of the block that {@link NativeEncoder.encode} makes of the rows, and what it would count. */
export function measure(rows: Rows): { bytes: number; rttNegative: number } {
  const count = rows.to - rows.from
  const texts = textBytes(rows, attributeBytes(rows.chunk.dictionary))
  const bytes = 1 + varintBytes(count) + headerBytes + count * fixedRowBytes + texts
  let rttNegative = 0
  for (let i = rows.from; i < rows.to; i++) rttNegative += rows.chunk.rtt[i]! >>> 31
  return { bytes, rttNegative }
}

function textBytes({ chunk, from, to }: Rows, { error, warning }: AttributeBytes): number {
  const lengths = error.texts.map((text, i) => text.length + warning.texts[i]!.length)
  let sum = 0
  for (let i = from; i < to; i++) sum += lengths[chunk.attributes[i]!]!
  return sum
}
