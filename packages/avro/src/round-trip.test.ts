import { type LogScore, RowError } from '@archiver/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { codecs } from './codec.js'
import { archivedRow, exactRow } from './convert.js'
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

const converters = { 1: archivedRow, 2: exactRow } as const

/** With the text of the column, or only with what it means. */
const anyRows = fc.array(
  fc.tuple(anyRow, fc.option(fc.oneof(text, fc.constantFrom('', '{"leap":0}')), { nil: undefined })),
  { maxLength: 50 },
)

function split(rows: readonly LogScore[], convert: (row: LogScore) => LogScore) {
  const taken: LogScore[] = []
  const refused: { row: LogScore; error: RowError }[] = []
  for (const row of rows) {
    try {
      convert(row)
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
    schema: fc.constantFrom(1 as const, 2 as const),
    codec: fc.constantFrom(...codecs),
    rowsPerBlock: fc.integer({ min: 1, max: 60 }),
    rowsPerChunk: fc.integer({ min: 1, max: 60 }),
  })
  const property = fc.asyncProperty(anyRows, settings, async (pairs, options) => {
    const convert = converters[options.schema]
    const rows = pairs.map(([row, json]) => (json === undefined || options.schema === 1 ? row : { ...row, json }))
    const { taken, refused } = split(rows, convert)
    const file = await fileOf(taken, options)
    expect(await rowsOf(readLogScores(pieces(file, 97)))).toEqual(taken.map(convert))
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
