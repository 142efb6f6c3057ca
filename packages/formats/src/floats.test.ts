import { seededRandom } from '@archiver/testkit'
import { expect, test } from 'vitest'
import { writeInt32, writeWhole } from './digits.js'
import { bitsOf, floatOf, writeDouble, writeFloat32 } from './floats.js'

const bytes = Buffer.alloc(64)
const textOf = (write: typeof writeFloat32, value: number) => bytes.toString('latin1', 0, write(bytes, 0, value))

/** How many digits a decimal has, without zeros at its ends. */
const digitsIn = (text: string) =>
  text
    .replace(/e.*/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+|0+$/g, '').length || 1

/** The fewest digits of which the nearest decimal reads back as the float. */
function fewestDigits(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    if (Math.fround(Number(value.toPrecision(digits))) === value) return digits
  }
  return 9
}

/** Floats of every exponent, with mantissas at their ends and between. */
function* everyKind(): Generator<number> {
  const random = seededRandom(7)
  for (let exponent = 0; exponent < 255; exponent++) {
    for (const mantissa of [0, 1, 2, 0x3fffff, 0x400000, 0x7ffffe, 0x7fffff]) yield floatOf((exponent << 23) | mantissa)
    for (let i = 0; i < 400; i++) yield floatOf((exponent << 23) | Math.floor(random() * 2 ** 23))
  }
}

test('a float is written with the fewest digits that give it back', () => {
  for (const value of everyKind()) {
    for (const signed of [value, -value]) {
      const text = textOf(writeFloat32, signed)
      if (!Object.is(Math.fround(Number(text)), signed)) throw new Error(`${signed} is written as ${text}`)
      // At most one more where a decimal lies in the middle of two floats.
      if (digitsIn(text) > fewestDigits(value)) throw new Error(`${signed} has too many digits: ${text}`)
    }
  }
})

test.each([
  [0.1, '0.1'],
  [19.5, '19.5'],
  [20, '20'],
  [-5, '-5'],
  [0, '0'],
  [-0, '-0.0'],
  [0.00125, '0.00125'],
  [2e-9, '0.000000002'],
  [3e-12, '3e-12'],
  [8_388_607.5, '8388607.5'],
  [16_777_216, '16777216'],
  [1e30, '1e+30'],
  [3.4028234663852886e38, '3.4028235e+38'],
  [1e-45, '1e-45'],
])('the float %d is %s', (value, text) => {
  expect(textOf(writeFloat32, Math.fround(value))).toBe(text)
})

test('scores as monitors give them, rounded to nine places, come back as they were', () => {
  const random = seededRandom(3)
  for (let i = 0; i < 200_000; i++) {
    const value = Math.fround(Math.round((random() * 120 - 100) * 1e9) / 1e9)
    const text = textOf(writeFloat32, value)
    if (Math.fround(Number(text)) !== value || text.length > 12) throw new Error(`${value} is written as ${text}`)
  }
})

test('bits of a float are the float', () => {
  for (const value of [0, -0, 1.5, -5, 2 ** -149]) expect(floatOf(bitsOf(value))).toBe(value)
})

test.each([0, -0, 0.1, 1 / 3, -1e300, 5e-324, 123456789.125, 1e21])('the double %d is read back', (value) => {
  expect(Number(textOf(writeDouble, value))).toBe(value)
})

test('whole numbers have all their digits', () => {
  const random = seededRandom(5)
  const edges = [0, 1, 9, 10, 99, 100, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 1e8, 99_999_999, 1e16 - 1e8, 2 ** 53 - 1]
  const others = Array.from({ length: 50_000 }, () => Math.floor(random() * 2 ** Math.floor(random() * 54)))
  for (const value of [...edges, ...others].filter(Number.isSafeInteger)) {
    if (textOf(writeWhole, value) !== String(value))
      throw new Error(`${value} is written as ${textOf(writeWhole, value)}`)
    const signed = -value | 0
    if (textOf(writeInt32, signed) !== String(signed)) throw new Error(`${signed} is wrong`)
  }
  expect(textOf(writeInt32, -(2 ** 31))).toBe('-2147483648')
})
