import fc from 'fast-check'
import type { SourceRow } from './rows.js'

/** 2106-02-07T06:28:15Z: the last second that ClickHouse's DateTime holds. */
export const maxTsSeconds = 2 ** 32 - 1

const maxUnsigned = 2 ** 32 - 1
const maxMediumInt = 2 ** 23 - 1

/** A finite double whose nearest float is finite too. */
export function floatSized(): fc.Arbitrary<number> {
  const edges = fc.constantFrom(0, 1e-45, 1e-38, 20, -100, 3.4028234663852886e38, -3.4028234663852886e38, 0.1, 1 / 3)
  const any = fc.double({ min: -3.4e38, max: 3.4e38, noNaN: true })
  return fc.oneof(edges, any, fc.double({ min: -100, max: 20, noNaN: true })).map(withoutNegativeZero)
}

/** Any finite double, as far as MySQL keeps it (no negative zero). */
export function finiteDouble(): fc.Arbitrary<number> {
  return fc.double({ noNaN: true, noDefaultInfinity: true }).map(withoutNegativeZero)
}

function withoutNegativeZero(value: number): number {
  return value === 0 ? 0 : value
}

/** What `attributes` may hold: absent, usual, partly there, with unicode texts, or with members nobody knows. */
export function attributesJson(): fc.Arbitrary<string | null> {
  const text = fc.oneof(fc.constantFrom('', 'i/o timeout', '0'), fc.string({ unit: 'grapheme', maxLength: 40 }))
  const leap = fc.integer({ min: 0, max: 3 })
  const known = fc.record({ leap, error: text, warning: text }, { requiredKeys: [] })
  const unknown = fc.record({ leap, stratum: fc.integer({ min: 0, max: 16 }), error: text })
  return fc.option(fc.oneof(fc.constant({ leap: 0 }), known, unknown).map((value) => JSON.stringify(value)))
}

/** Rows at the limits of the source table, which every archive must bring back or refuse by name. */
export function hostileRow(): fc.Arbitrary<SourceRow> {
  return fc.record({
    id: fc.oneof(fc.bigInt(1n, 1_000_000n), fc.bigInt(2n ** 32n, 2n ** 53n - 1n)),
    monitorId: fc.option(fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: maxUnsigned }))),
    serverId: fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 2 ** 31 - 1 })),
    tsSeconds: fc.oneof(
      fc.integer({ min: 0, max: maxTsSeconds }),
      fc.constantFrom(0, 2 ** 31 - 1, 2 ** 31, maxTsSeconds),
    ),
    score: floatSized(),
    step: floatSized(),
    offset: fc.option(finiteDouble()),
    rtt: fc.option(
      fc.oneof(fc.integer({ min: -5, max: 5 }), fc.integer({ min: -maxMediumInt - 1, max: maxMediumInt })),
    ),
    attributes: attributesJson(),
  })
}

/** Up to `maxRows` rows with distinct ids, in ascending order of id. */
export function hostileRows(maxRows = 200): fc.Arbitrary<SourceRow[]> {
  const rows = fc.uniqueArray(hostileRow(), { minLength: 1, maxLength: maxRows, selector: (row) => row.id })
  return rows.map((list) => list.sort((a, b) => (a.id < b.id ? -1 : 1)))
}
