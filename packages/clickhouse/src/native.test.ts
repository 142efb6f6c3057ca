import { chunkFromRows, type LogScore } from '@archiver/core'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { measure, NativeEncoder } from './native.js'
import { fits, hostileRows, plainRows } from './testing/rows.js'

const encode = (rows: readonly LogScore[]) =>
  new NativeEncoder().encode({ chunk: chunkFromRows(rows), from: 0, to: rows.length })

it('refuses the first row that does not fit, whichever column it is', () => {
  const rows = plainRows(10)
  rows[7] = { ...rows[7]!, score: Number.NaN }
  rows[5] = { ...rows[5]!, error: 'half \ud83d of a pair' }
  expect(() => encode(rows)).toThrow(expect.objectContaining({ name: 'RowError', id: 6n, column: 'error' }))
})

it.each<[Partial<LogScore>, string]>([
  [{ score: 3.5e38 }, 'score'],
  [{ score: Number.NaN }, 'score'],
  [{ step: -1e39 }, 'step'],
  [{ step: Number.POSITIVE_INFINITY }, 'step'],
  [{ offset: Number.NaN }, 'offset'],
  [{ leap: 256 }, 'leap'],
  [{ leap: 0.5 }, 'leap'],
  [{ warning: '\udc00' }, 'warning'],
])('refuses %o by its column', (value, column) => {
  const row = { ...plainRows(1, 2n ** 60n)[0]!, ...value }
  expect(() => encode([row])).toThrow(expect.objectContaining({ name: 'RowError', id: 2n ** 60n, column }))
})

it('encodes a slice as if it were all there is', () => {
  const rows = plainRows(30)
  const slice = new NativeEncoder().encode({ chunk: chunkFromRows(rows), from: 10, to: 20 })
  expect(slice).toEqual(encode(rows.slice(10, 20)))
})

it('measures what it would encode', () => {
  fc.assert(
    fc.property(hostileRows, (rows) => {
      const fit = rows.filter(fits)
      if (fit.length === 0) return
      const { bytes, rttNegative } = encode(fit)
      expect(measure({ chunk: chunkFromRows(fit), from: 0, to: fit.length })).toEqual({
        bytes: bytes.length,
        rttNegative,
      })
      expect(rttNegative).toBe(fit.filter(({ rtt }) => rtt !== null && rtt < 0).length)
    }),
  )
})
