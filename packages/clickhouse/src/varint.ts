/** A text in the Native format: its length in bytes as a varint, then UTF-8. */
export function lengthAndText(text: string): Buffer {
  const utf8 = Buffer.from(text)
  const bytes = Buffer.allocUnsafeSlow(varintBytes(utf8.length) + utf8.length)
  utf8.copy(bytes, writeVarint(bytes, 0, utf8.length))
  return bytes
}

/** Seven bits a byte, the lowest first. Returns where the next byte goes. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value
  let next = at
  for (; rest > 0x7f; rest >>>= 7) bytes[next++] = (rest & 0x7f) | 0x80
  bytes[next++] = rest
  return next
}

export function varintBytes(value: number): number {
  let bytes = 1
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes++
  return bytes
}
