import type { Attributes } from '@archiver/core'
import { type Bytes, bytesOf, intBytes, longBytes } from './varint.js'

/**
 * The last two fields of a row, leap and error, encoded once for each distinct entry of a chunk's dictionary: all rows
 * of an entry end in the same bytes. They lie one after the other, with 4 bytes more, so that 4 may be read anywhere.
 */
export interface Tails extends Bytes {
  readonly starts: Uint32Array
  readonly lengths: Uint32Array
  /** In bytes. */
  readonly longest: number
}

export function encodeTails(dictionary: readonly Attributes[]): Tails {
  const encoded = dictionary.map(encodeTail)
  const starts = new Uint32Array(encoded.length)
  let total = 0
  for (const [i, bytes] of encoded.entries()) {
    starts[i] = total
    total += bytes.length
  }
  const lengths = Uint32Array.from(encoded, ({ length }) => length)
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0)
  return { ...bytesOf(Buffer.concat(encoded, total + 4)), starts, lengths, longest }
}

function encodeTail({ leap, error }: Attributes): Uint8Array {
  const leapBytes = leap === null ? [0] : [2, ...intBytes(leap)]
  if (error === null) return Uint8Array.of(...leapBytes, 0)
  // A surrogate without its half has no UTF-8 form; Buffer.from makes it U+FFFD.
  const text = Buffer.from(error)
  return Buffer.concat([Uint8Array.of(...leapBytes, 2), longBytes(text.length), text])
}
