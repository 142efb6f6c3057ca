import { type LogScore, type PlannedBatch, RowError } from '@archiver/core'
import fc from 'fast-check'
import { convert } from './read-back.js'

const unsigned = (bits: number) => fc.integer({ min: 0, max: 2 ** bits - 1 })
const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.constantFrom('i/o timeout', '\0', "'\\", '🕰️'))
const double = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, 5e-324, 1e-45, 1.1, -1e30, 3.4028234663852886e38, 3.5e38, Number.MAX_VALUE, -Number.MAX_VALUE),
  fc.double({ min: -100, max: 20, noNaN: true }),
)
const id = fc.oneof(
  fc.bigInt(1n, 2n ** 33n),
  fc.bigInt(2n ** 53n - 100n, 2n ** 53n + 100n),
  fc.bigInt(1n, 2n ** 64n - 1n),
)

const row: fc.Arbitrary<LogScore> = fc.record({
  id,
  monitorId: fc.option(unsigned(32)),
  serverId: unsigned(32),
  tsSeconds: fc.oneof(unsigned(32), fc.constantFrom(0, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1)),
  score: double,
  step: double,
  offset: fc.option(double),
  rtt: fc.option(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
  leap: fc.option(fc.integer({ min: 1, max: 3 })),
  error: fc.option(text.filter((value) => value !== '')),
  warning: fc.option(text.filter((value) => value !== '')),
})

/** Rows that test every limit, in ascending order of id. */
export const hostileRows = fc
  .uniqueArray(row, { minLength: 1, maxLength: 150, selector: (value) => value.id })
  .map((rows) => rows.sort((a, b) => (a.id < b.id ? -1 : 1)))

/** Plain rows, one a second; `daysApart` puts as many days between them. */
export function plainRows(count: number, firstId = 1n, daysApart = 0): LogScore[] {
  return Array.from({ length: count }, (_, i) => ({
    id: firstId + BigInt(i),
    monitorId: 7,
    serverId: 1 + (i % 50),
    tsSeconds: 1_793_491_200 + i + i * daysApart * 86_400,
    score: 20,
    step: 1,
    offset: 0.001,
    rtt: 1000,
    leap: null,
    error: null,
    warning: null,
  }))
}

export function batchOf(table: string, rows: readonly LogScore[], id = 1n): PlannedBatch {
  const firstId = rows[0]!.id
  return { id, archiver: 'clickhouse', table, afterId: firstId - 1n, firstId, upToId: rows.at(-1)!.id }
}

/** The error with which the archive must refuse the row; undefined if it must take it. */
export function refusal(row: LogScore): RowError | undefined {
  try {
    convert(row)
    return undefined
  } catch (thrown) {
    if (thrown instanceof RowError) return thrown
    throw thrown
  }
}

export function fits(row: LogScore): boolean {
  return refusal(row) === undefined
}
