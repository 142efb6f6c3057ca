import { type Attributes, type FloatColumn, LOW_HALF, type LogScoreChunk } from '@archiver/core'
import { writeInt32, writeWhole } from './digits.js'
import { bitsOf, floatOf, maxNumberBytes, writeDouble, writeFloat32 } from './floats.js'
import { type RowForm, type TextColumn, textColumns } from './row-form.js'
import { type Fragment, fragmentOf, targetOf, writeFragment } from './target.js'
import { TextCache } from './text-cache.js'

const bufferBytes = 256 * 1024

/** Rows as text: pieces of a quarter of a megabyte, less at the end of a chunk. Each is valid until the next is asked for. */
export async function* encodeText(chunks: AsyncIterable<LogScoreChunk>, form: RowForm): AsyncGenerator<Uint8Array> {
  const writer = new RowWriter(form)
  if (form.head !== '') yield Buffer.from(form.head)
  for await (const chunk of chunks) yield* writer.encode(chunk)
}

/**
 * Writes columns as the text of rows. Whoever reads an archive as text waits for this loop: no row becomes an object, no id a
 * BigInt; what recurs is copied, other numbers are written digit by digit into memory that is used again.
 */
class RowWriter {
  readonly #form: RowForm
  readonly #before: Readonly<Record<TextColumn, Fragment>>
  readonly #null: Fragment
  readonly #noMonitor: Fragment
  /** Without its tail, no row is longer. */
  readonly #maxRowBytes: number
  readonly #ts: TextCache
  readonly #scores = new TextCache(12, renderFloat)
  readonly #steps = new TextCache(8, renderFloat)
  #target = targetOf(bufferBytes)

  constructor(form: RowForm) {
    this.#form = form
    const before = textColumns.map((column) => [column, fragmentOf(form.before[column])] as const)
    this.#before = Object.fromEntries(before) as Record<TextColumn, Fragment> // each of the columns
    this.#null = fragmentOf(form.null)
    this.#noMonitor = fragmentOf(form.noMonitor)
    const fragments = before.reduce((bytes, [, { length }]) => bytes + length, 0)
    this.#maxRowBytes = fragments + textColumns.length * maxNumberBytes
    this.#ts = new TextCache(6, (bytes, at, seconds) => at + bytes.write(form.ts(seconds), at, 'latin1'))
  }

  /** The rows of a chunk, in pieces. */
  *encode(chunk: LogScoreChunk): Generator<Uint8Array> {
    const tails = chunk.dictionary.map((entry: Attributes) => fragmentOf(this.#form.tail(entry)))
    const longest = tails.reduce((bytes, { length }) => Math.max(bytes, length), 0) + this.#maxRowBytes + 4
    if (longest > this.#target.bytes.length) this.#target = targetOf(longest)
    for (let row = 0; row < chunk.rows; ) {
      const written = this.#rows(chunk, tails, row, this.#target.bytes.length - longest)
      row = written.row
      yield this.#target.bytes.subarray(0, written.bytes)
    }
  }

  /** Writes rows from `from` on while they begin at or before `limit`. */
  #rows(chunk: LogScoreChunk, tails: readonly Fragment[], from: number, limit: number): { row: number; bytes: number } {
    const { rows, serverId, monitorId, monitorIdNull, tsSeconds, score, step, offset, offsetNull } = chunk
    const { rtt, rttNull, attributes } = chunk
    const target = this.#target
    const { bytes } = target
    const before = this.#before
    const idHalves = new Uint32Array(chunk.id.buffer, chunk.id.byteOffset, rows * 2)
    const singles = singlesOf(chunk)
    let at = 0
    let row = from
    for (; row < rows && at <= limit; row++) {
      at = writeFragment(target, at, before.id)
      at = this.#id(at, idHalves[2 * row + LOW_HALF]!, idHalves[2 * row + 1 - LOW_HALF]!)
      at = writeFragment(target, at, before.serverId)
      at = writeWhole(bytes, at, serverId[row]!)
      at = writeFragment(target, at, before.monitorId)
      at = monitorIdNull[row] ? writeFragment(target, at, this.#noMonitor) : writeWhole(bytes, at, monitorId[row]!)
      at = writeFragment(target, at, before.ts)
      at = this.#ts.write(target, at, tsSeconds[row]!)
      at = writeFragment(target, at, before.score)
      at = this.#number(at, score[row]!, singles.score, this.#scores)
      at = writeFragment(target, at, before.step)
      at = this.#number(at, step[row]!, singles.step, this.#steps)
      at = writeFragment(target, at, before.offset)
      at = offsetNull[row] ? this.#nothing(at) : this.#number(at, offset[row]!, singles.offset, undefined)
      at = writeFragment(target, at, before.rtt)
      at = rttNull[row] ? this.#nothing(at) : writeInt32(bytes, at, rtt[row]!)
      at = writeFragment(target, at, tails[attributes[row]!]!)
    }
    return { row, bytes: at }
  }

  #id(at: number, lowHalf: number, highHalf: number): number {
    const { bytes } = this.#target
    if (highHalf < 2 ** 21) return writeWhole(bytes, at, highHalf * 2 ** 32 + lowHalf)
    const text = String((BigInt(highHalf) << 32n) | BigInt(lowHalf))
    return at + bytes.write(this.#form.quotesLargeIds ? `"${text}"` : text, at, 'latin1')
  }

  #nothing(at: number): number {
    return writeFragment(this.#target, at, this.#null)
  }

  #number(at: number, value: number, single: boolean, texts: TextCache | undefined): number {
    const { bytes } = this.#target
    if (value - value !== 0) return at + bytes.write(this.#form.notFinite(value), at, 'latin1')
    if (!single) return writeDouble(bytes, at, value)
    return texts === undefined ? writeFloat32(bytes, at, value) : texts.write(this.#target, at, bitsOf(value))
  }
}

function renderFloat(bytes: Buffer, at: number, bits: number): number {
  return writeFloat32(bytes, at, floatOf(bits))
}

function singlesOf({ float32 = [] }: LogScoreChunk): Readonly<Record<FloatColumn, boolean>> {
  return { score: float32.includes('score'), step: float32.includes('step'), offset: float32.includes('offset') }
}
