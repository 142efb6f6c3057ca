import { type Attributes, attributesJson } from '@archiver/core'
import { type Bytes, bytesOf, intBytes, longBytes } from './varint.js'

/**
 * The last fields of a row, from leap on, encoded once for each distinct entry of a chunk's dictionary: all rows
 * of an entry end in the same bytes. They lie one after the other, with 4 bytes more, so that 4 may be read anywhere.
 */
export interface Tails extends Bytes {
  readonly starts: Uint32Array
  readonly lengths: Uint32Array
  /** In bytes. */
  readonly longest: number
}

/** Encodes one entry of a dictionary. */
export type EncodeTail = (entry: Attributes) => Uint8Array

export function encodeTails(dictionary: readonly Attributes[], encode: EncodeTail = encodeTail): Tails {
  const encoded = dictionary.map((entry) => encode(entry))
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

/** Version 1: leap and error. */
export function encodeTail({ leap, error }: Attributes): Uint8Array {
  return Buffer.concat([nullableInt(leap), nullableText(error)])
}

/** Version 2: leap, error, warning, the column's own text, and the version. */
export function encodeExactTail(entry: Attributes): Uint8Array {
  const { leap, error, warning, json = attributesJson(entry) } = entry
  return Buffer.concat([nullableInt(leap), ...[error, warning, json].map(nullableText), nullableInt(2)])
}

function nullableInt(value: number | null): Uint8Array {
  return value === null ? Uint8Array.of(0) : Uint8Array.of(2, ...intBytes(value))
}

/** A surrogate without its half has no UTF-8 form; Buffer.from makes it U+FFFD. */
function nullableText(value: string | null): Uint8Array {
  if (value === null) return Uint8Array.of(0)
  const text = Buffer.from(value)
  return Buffer.concat([Uint8Array.of(2), longBytes(text.length), text])
}
