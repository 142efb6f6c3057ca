import { type LogScore, RowError } from '@archiver/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { codecs } from './codec.js'
import { archivedRow } from './convert.js'
import { readLogScores } from './reader.js'
import { fileOf, pieces, rowsOf } from './test-support.js'

const unsigned = fc.oneof(fc.nat(5000), fc.integer({ min: 0, max: 2 ** 32 - 1 }))
const double = fc.oneof(fc.double({ min: -100, max: 100, noNaN: true }), fc.double())
const text = fc.option(
  fc.oneof(fc.string({ unit: 'binary', minLength: 1 }), fc.string({ minLength: 1, maxLength: 300 })),
)
const halfSurrogate = fc.integer({ min: 0xd800, max: 0xdfff }).map((unit) => `a${String.fromCharCode(unit)}b`)

const anyRow: fc.Arbitrary<LogScore> = fc.record({
  id: fc.oneof(fc.bigInt(0n, 2n ** 35n), fc.bigInt(0n, 2n ** 64n - 1n)),
  monitorId: fc.option(unsigned),
  serverId: unsigned,
  tsSeconds: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  score: double,
  step: double,
  offset: fc.option(double),
  rtt: fc.option(fc.oneof(fc.nat(200_000), fc.integer())),
  leap: fc.option(fc.integer({ min: 1, max: 3 })),
  error: fc.oneof(text, halfSurrogate),
  warning: text,
})

function split(rows: readonly LogScore[]) {
  const taken: LogScore[] = []
  const refused: { row: LogScore; error: RowError }[] = []
  for (const row of rows) {
    try {
      archivedRow(row)
      taken.push(row)
    } catch (error) {
      if (!(error instanceof RowError)) throw error
      refused.push({ row, error })
    }
  }
  return { taken, refused }
}

test('any rows come back as the conversions say, or are refused by id and column', async () => {
  const settings = fc.record({
    codec: fc.constantFrom(...codecs),
    rowsPerBlock: fc.integer({ min: 1, max: 60 }),
    rowsPerChunk: fc.integer({ min: 1, max: 60 }),
  })
  const property = fc.asyncProperty(fc.array(anyRow, { maxLength: 50 }), settings, async (rows, options) => {
    const { taken, refused } = split(rows)
    const file = await fileOf(taken, options)
    expect(await rowsOf(readLogScores(pieces(file, 97)))).toEqual(taken.map(archivedRow))
    for (const { row, error } of refused) {
      await expect(fileOf([row], options)).rejects.toMatchObject({
        id: error.id,
        column: error.column,
        message: error.message,
      })
    }
  })
  await fc.assert(property, { numRuns: 200 })
})
