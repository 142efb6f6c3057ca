const continued = 0x80808080

/** Bytes and a view of the same bytes. */
export interface Bytes {
  readonly bytes: Uint8Array
  readonly view: DataView
}

export function bytesOf(bytes: Uint8Array): Bytes {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) }
}

/** Writes 32 bits as an Avro variable-length number (7 bits a byte, lowest first); returns the position after it. */
export function writeVarint(out: Uint8Array, position: number, value: number): number {
  let rest = value >>> 0
  let at = position
  while (rest > 0x7f) {
    out[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  out[at++] = rest
  return at
}

/** Zigzag: small numbers of either sign become small unsigned ones. 32 bits. */
export function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0
}

/**
 * Writes a number below 2^63, given as halves, as an Avro long; up to 10 bytes, and 4 bytes beyond may be overwritten.
 * Returns the position after it.
 */
export function writeLong(out: Bytes, position: number, low: number, high: number): number {
  const first = (low << 1) & 0xfffffff
  const second = ((high << 5) | (low >>> 27)) & 0xfffffff
  const third = high >>> 23
  if ((second | third) === 0) return writeVarint(out.bytes, position, first)
  out.view.setUint32(position, spread(first) | continued, true)
  if (third === 0) return writeVarint(out.bytes, position + 4, second)
  out.view.setUint32(position + 4, spread(second) | continued, true)
  return writeVarint(out.bytes, position + 8, third)
}

/** 28 bits as four groups of 7, a byte each. */
function spread(bits: number): number {
  return (bits & 0x7f) | ((bits & 0x3f80) << 1) | ((bits & 0x1fc000) << 2) | ((bits & 0xfe00000) << 3)
}

/** A non-negative safe integer as an Avro long, in bytes of its own. */
export function longBytes(value: number): Uint8Array {
  const out = bytesOf(new Uint8Array(16))
  return out.bytes.subarray(0, writeLong(out, 0, value % 2 ** 32, Math.floor(value / 2 ** 32)))
}

/** A signed 32-bit integer as an Avro int, in bytes of its own. */
export function intBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(5)
  return bytes.subarray(0, writeVarint(bytes, 0, zigzag(value)))
}
