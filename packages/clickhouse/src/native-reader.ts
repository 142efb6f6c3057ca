import { type Attributes, allocateChunk, type LogScoreChunk } from '@archiver/core'
import { Pieces } from './pieces.js'

/** What {@link readNative} reads, in this order and of these types. `dt` follows from `ts`. */
const read = [
  ['id', 'UInt64'],
  ['monitor_id', 'UInt32'],
  ['server_id', 'UInt32'],
  ['ts', 'UInt32'],
  ['score', 'Float32'],
  ['step', 'Float32'],
  ['offset', 'Nullable(Float64)'],
  ['rtt', 'Nullable(UInt32)'],
  ['leap', 'Nullable(UInt8)'],
  ['warning', 'Nullable(String)'],
  ['error', 'Nullable(String)'],
] as const

/**
 * The select list of {@link readNative}. The casts bring what a table may have instead (a time zone, LowCardinality) to
 * these types; the names differ from the columns', so that `ts` in a condition is the column.
 */
export const nativeColumns = read
  .map(([name, type]) => `CAST(${name === 'ts' ? 'toUInt32(ts)' : `\`${name}\``} AS ${type}) AS \`_${name}\``)
  .join(', ')

type Columns = ReturnType<typeof allocateChunk>
type Values = BigUint64Array | Uint32Array | Int32Array | Uint8Array | Float32Array | Float64Array

/** Rows out of an answer in the Native format: blocks of columns, each of which becomes a chunk. */
export async function* readNative(answer: AsyncIterable<Uint8Array>): AsyncGenerator<LogScoreChunk> {
  const pieces = new Pieces(answer)
  const reader = new NativeReader(pieces)
  try {
    for (let chunk = await reader.next(); chunk; chunk = await reader.next()) if (chunk.rows > 0) yield chunk
  } finally {
    await pieces.end()
  }
}

class NativeReader {
  readonly #pieces: Pieces
  #columns: Columns = allocateChunk(0)
  #floats = new Float32Array(0)

  constructor(pieces: Pieces) {
    this.#pieces = pieces
  }

  /** The next block; undefined after the last. A block may have no row. */
  async next(): Promise<LogScoreChunk | undefined> {
    if (!(await this.#pieces.need(1))) return undefined
    const columns = await this.#varint()
    const rows = await this.#varint()
    if (columns !== read.length) throw new Error(`expected ${read.length} columns from ClickHouse, found ${columns}`)
    this.#reserve(rows)
    return this.#block(rows)
  }

  async #block(rows: number): Promise<LogScoreChunk> {
    const { id, monitorId, monitorIdNull, serverId, tsSeconds, score, step, offset, offsetNull, rtt, rttNull } =
      this.#columns
    await this.#column(0, rows, id)
    await this.#column(1, rows, monitorId)
    monitorIdNull.fill(0, 0, rows)
    await this.#column(2, rows, serverId)
    await this.#column(3, rows, tsSeconds)
    await this.#column(4, rows, this.#floats)
    score.set(this.#floats.subarray(0, rows))
    await this.#column(5, rows, this.#floats)
    step.set(this.#floats.subarray(0, rows))
    await this.#nullable(6, rows, offsetNull, offset)
    // Unsigned in the table: what the Go program made of a negative value is negative again.
    await this.#nullable(7, rows, rttNull, rtt)
    return { ...this.#columns, rows, dictionary: await this.#attributes(rows), float32: ['score', 'step'] }
  }

  async #attributes(rows: number): Promise<readonly Attributes[]> {
    const leapNull = new Uint8Array(rows)
    const leap = new Uint8Array(rows)
    await this.#nullable(8, rows, leapNull, leap)
    const warnings = await this.#texts(9, rows)
    const errors = await this.#texts(10, rows)
    const dictionary = new Dictionary()
    const { attributes } = this.#columns
    for (let i = 0; i < rows; i++) {
      const warning = warnings.get(i)
      const error = errors.get(i)
      attributes[i] =
        leapNull[i] && warning === undefined && error === undefined
          ? dictionary.nothing
          : dictionary.indexOf(leapNull[i] ? null : leap[i]!, error ?? null, warning ?? null)
    }
    return dictionary.entries
  }

  /** Texts that are not null, by row. */
  async #texts(index: number, rows: number): Promise<ReadonlyMap<number, string>> {
    const isNull = new Uint8Array(rows)
    await this.#header(index)
    await this.#bytes(isNull)
    const texts = new Map<number, string>()
    const pieces = this.#pieces
    for (let i = 0; i < rows; i++) {
      if (pieces.left === 0) await pieces.need(1)
      // Nearly always null: a length of 0.
      if (pieces.buffer[pieces.at] === 0 && isNull[i]) pieces.at++
      else {
        const text = await this.#text()
        if (!isNull[i]) texts.set(i, text)
      }
    }
    return texts
  }

  async #nullable(
    index: number,
    rows: number,
    isNull: Uint8Array,
    values: Exclude<Values, BigUint64Array>,
  ): Promise<void> {
    await this.#header(index)
    await this.#bytes(isNull.subarray(0, rows))
    await this.#bytes(bytesOf(values, rows))
    // What a server keeps under a null is its own affair.
    for (let i = isNull.indexOf(1); i >= 0 && i < rows; i = isNull.indexOf(1, i + 1)) values[i] = 0
  }

  async #column(index: number, rows: number, values: Values): Promise<void> {
    await this.#header(index)
    await this.#bytes(bytesOf(values, rows))
  }

  async #header(index: number): Promise<void> {
    const [name, type] = read[index]!
    const found = `${await this.#text()} ${await this.#text()}`
    if (found !== `_${name} ${type}`) throw new Error(`expected the column _${name} ${type}, found ${found}`)
  }

  async #bytes(into: Uint8Array): Promise<void> {
    if (into.length === 0) return
    const pieces = this.#pieces
    if (!(await pieces.need(into.length))) throw new Error('the answer of ClickHouse ends inside a block')
    into.set(pieces.buffer.subarray(pieces.at, pieces.at + into.length))
    pieces.at += into.length
  }

  async #text(): Promise<string> {
    const length = await this.#varint()
    if (length === 0) return ''
    const pieces = this.#pieces
    await pieces.need(length)
    pieces.at += length
    return pieces.buffer.toString('utf8', pieces.at - length, pieces.at)
  }

  async #varint(): Promise<number> {
    const pieces = this.#pieces
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      if (pieces.left === 0 && !(await pieces.need(1))) throw new Error('the answer of ClickHouse ends inside a block')
      const byte = pieces.buffer[pieces.at++]!
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
  }

  #reserve(rows: number): void {
    if (rows <= this.#floats.length) return
    this.#columns = allocateChunk(rows)
    this.#floats = new Float32Array(rows)
  }
}

/** Gives each distinct entry one index. */
class Dictionary {
  readonly entries: Attributes[] = []
  readonly #indexes = new Map<string, number>()
  #nothing = -1

  /** The index of the entry that most rows have. */
  get nothing(): number {
    if (this.#nothing < 0) this.#nothing = this.indexOf(null, null, null)
    return this.#nothing
  }

  indexOf(leap: number | null, error: string | null, warning: string | null): number {
    const key = JSON.stringify([leap, error, warning])
    const known = this.#indexes.get(key)
    if (known !== undefined) return known
    this.#indexes.set(key, this.entries.length)
    return this.entries.push({ leap, error, warning }) - 1
  }
}

function bytesOf({ buffer, byteOffset, BYTES_PER_ELEMENT }: Values, rows: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset, rows * BYTES_PER_ELEMENT)
}
