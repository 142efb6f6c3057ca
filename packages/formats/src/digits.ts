/** The digits of 0 to 99, two bytes each. */
const pairs = Buffer.from(Array.from({ length: 100 }, (_, i) => String(i).padStart(2, '0')).join(''))

const zero = 48
const minus = 45

/** Writes a whole number from 0 to 2^53-1. @returns where it ends. */
export function writeWhole(bytes: Buffer, at: number, value: number): number {
  if (value < 2 ** 31) return writeInt31(bytes, at, value)
  const high = Math.floor(value / 1e8)
  const end = high < 2 ** 31 ? writeInt31(bytes, at, high) : writeWhole(bytes, at, high)
  writePadded(bytes, end, value - high * 1e8, 8)
  return end + 8
}

/** Writes a whole number from -2^31 to 2^31-1. @returns where it ends. */
export function writeInt32(bytes: Buffer, at: number, value: number): number {
  if (value >= 0) return writeInt31(bytes, at, value)
  bytes[at] = minus
  return writeWhole(bytes, at + 1, -value)
}

function writeInt31(bytes: Buffer, at: number, value: number): number {
  const digits = digitsOf(value)
  writePadded(bytes, at, value, digits)
  return at + digits
}

function digitsOf(value: number): number {
  if (value < 10_000) return value < 100 ? (value < 10 ? 1 : 2) : value < 1000 ? 3 : 4
  if (value < 100_000_000) return value < 1_000_000 ? (value < 100_000 ? 5 : 6) : value < 10_000_000 ? 7 : 8
  return value < 1_000_000_000 ? 9 : 10
}

/** Writes the last `digits` digits of a whole number below 2^31, with zeros before them. */
export function writePadded(bytes: Buffer, at: number, value: number, digits: number): void {
  let rest = value | 0
  let end = at + digits
  while (end - at >= 2) {
    const next = (rest / 100) | 0
    const pair = (rest - next * 100) * 2
    end -= 2
    bytes[end] = pairs[pair]!
    bytes[end + 1] = pairs[pair + 1]!
    rest = next
  }
  if (end > at) bytes[at] = zero + (rest % 10)
}
