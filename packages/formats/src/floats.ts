import { writeInt32, writePadded } from './digits.js'

/** No number is longer, nor what is written ahead of it. */
export const maxNumberBytes = 32

const float = new Float32Array(1)
const floatBits = new Uint32Array(float.buffer)

/** The bits of a number that fits 32 of them. */
export function bitsOf(value: number): number {
  float[0] = value
  return floatBits[0]!
}

export function floatOf(bits: number): number {
  floatBits[0] = bits
  return float[0]!
}

const powers = Array.from({ length: 23 }, (_, places) => Number(`1e${places}`))
/** Below, a number is written with an exponent. */
const least = 1e-9
/** From here on, floats are more than 1 apart. */
const most = 2 ** 23

/**
 * By the exponent of a float: decimal places that are always enough, as decimals then are less than half as far apart as
 * floats are. 0 where numbers are written otherwise.
 */
const placesOf = Uint8Array.from({ length: 256 }, (_, biased) => {
  const places = Math.floor(-Math.log10(2 ** (biased - 127 - 24))) + 1
  return biased === 0 || places < 1 || places > 22 ? 0 : places
})

/**
 * Writes a number that fits 32 bits with the fewest digits that give it back: a decimal that is nearer to it than to any
 * other float. `Math.fround(Number(text))` is the number again.
 *
 * Correct because no step rounds where it counts: a whole number below 2^53 divided by a power of ten up to 10^22 is the
 * double that its decimal text is read as, so that what is compared is what a reader gets.
 */
export function writeFloat32(bytes: Buffer, at: number, value: number): number {
  const size = Math.abs(value)
  if (size >= least && size < most) return writeShortest(bytes, at, value, size)
  return at + bytes.write(Object.is(value, -0) ? '-0.0' : shortestText(value), at, 'latin1')
}

function writeShortest(bytes: Buffer, at: number, value: number, size: number): number {
  let places = placesOf[(bitsOf(size) >>> 23) & 0xff]!
  let digits = Math.floor(size * powers[places]! + 0.5)
  while (places > 0) {
    const scale = powers[places - 1]!
    const fewer = Math.floor(size * scale + 0.5)
    const read = fewer / scale
    if (Math.fround(read) !== size || isBetweenFloats(read, size)) break
    digits = fewer
    places -= 1
  }
  if (value < 0) bytes[at++] = 45
  return writeDecimal(bytes, at, digits, places)
}

/** Whether it lies in the middle of two floats: there a reader that makes no double first may decide otherwise. */
function isBetweenFloats(read: number, size: number): boolean {
  return read !== size && Math.fround(2 * read - size) === 2 * read - size
}

/** Writes `digits / 10^places`. */
function writeDecimal(bytes: Buffer, at: number, digits: number, places: number): number {
  if (places === 0) return writeInt32(bytes, at, digits)
  const scale = powers[places]!
  const whole = places > 9 ? 0 : Math.floor(digits / scale)
  let end = writeInt32(bytes, at, whole)
  bytes[end++] = 46
  // A number below 2^31 has no more than ten digits.
  for (let zeros = places - 10; zeros > 0; zeros--) bytes[end++] = 48
  const rest = Math.min(places, 10)
  writePadded(bytes, end, digits - whole * scale, rest)
  return end + rest
}

/** For the numbers that hardly occur. */
function shortestText(value: number): string {
  for (let precision = 1; precision < 9; precision++) {
    const read = Number(value.toPrecision(precision))
    if (Math.fround(read) === value) return String(read)
  }
  return String(Number(value.toPrecision(9)))
}

/** Writes a double with the fewest digits that give it back. */
export function writeDouble(bytes: Buffer, at: number, value: number): number {
  if (value === 0) return at + bytes.write(Object.is(value, -0) ? '-0.0' : '0', at, 'latin1')
  return at + bytes.write(String(value), at, 'latin1')
}
