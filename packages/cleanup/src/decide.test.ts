import { RANGE_IDS, type Slice } from '@archiver/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decideLimit, dueInMs, spanOf, subtractRanges, Window } from './decide.js'

const serverMs = 1_793_491_200_000
const id = fc.bigInt(1n, 1_000n)
const marks = fc.array(fc.record({ archiver: fc.string(), mark: fc.option(id) }), { maxLength: 5 })
const unfinished = fc.array(fc.record({ archiver: fc.string(), afterId: fc.bigInt(0n, 1_000n) }), { maxLength: 3 })

describe('the limit', () => {
  test('is never above a mark or inside an unfinished batch, and there is none without marks', () => {
    fc.assert(
      fc.property(marks, unfinished, (someMarks, someUnfinished) => {
        const limit = decideLimit({ marks: someMarks, unfinished: someUnfinished, hold: null, serverMs }, serverMs)
        const open = someMarks.length === 0 || someMarks.some(({ mark }) => mark === null)
        expect('reason' in limit).toBe(open)
        if ('reason' in limit) return
        for (const { mark } of someMarks) expect(limit.belowId <= mark!).toBe(true)
        for (const { afterId } of someUnfinished) expect(limit.belowId - 1n <= afterId).toBe(true)
      }),
    )
  })

  test('names every archiver without a mark', () => {
    const standing = {
      marks: ['a', 'b'].map((archiver) => ({ archiver, mark: null })),
      unfinished: [],
      hold: null,
      serverMs,
    }
    expect(decideLimit(standing, serverMs)).toEqual({ reason: 'no-mark', archivers: ['a', 'b'] })
  })

  test('is none while somebody has the cleaner held up, and says for what', () => {
    const standing = { marks: [{ archiver: 'a', mark: 5n }], unfinished: [], hold: 'a restore of x', serverMs }
    expect(decideLimit(standing, serverMs)).toEqual({ reason: 'held', why: 'a restore of x' })
  })

  test.each([300_001, -300_001, Number.NaN])('needs clocks that agree (%s ms apart)', (apartMs) => {
    const standing = { marks: [{ archiver: 'a', mark: 5n }], unfinished: [], hold: null, serverMs }
    expect(decideLimit(standing, serverMs + apartMs)).toMatchObject({ reason: 'clock' })
    expect(decideLimit(standing, serverMs + 300_000)).toEqual({ archiver: 'a', belowId: 5n })
  })
})

test('a run is due after the interval, and after a full one sooner, never later', () => {
  const policy = { retentionDays: 14, maxRows: 1, intervalMs: 100, reducedIntervalMs: 30 }
  expect(dueInMs({ ageMs: 40, full: false }, policy)).toBe(60)
  expect(dueInMs({ ageMs: 40, full: true }, policy)).toBe(0)
  expect(dueInMs({ ageMs: 10, full: true }, policy)).toBe(20)
  expect(dueInMs({ ageMs: 100, full: true }, { ...policy, reducedIntervalMs: 500 })).toBe(0)
})

test('ranges without others are what is left, each id once', () => {
  const range = fc.tuple(fc.bigInt(0n, 40n), fc.bigInt(1n, 20n)).map(([afterId, width]) => ({
    afterId,
    upToId: afterId + width,
  }))
  fc.assert(
    fc.property(range, fc.array(range, { maxLength: 6 }), (whole, others) => {
      const idsOf = ({ afterId, upToId }: typeof whole) =>
        Array.from({ length: Number(upToId - afterId) }, (_, i) => afterId + 1n + BigInt(i))
      const taken = new Set(others.flatMap(idsOf))
      expect(subtractRanges(whole, others).flatMap(idsOf)).toEqual(idsOf(whole).filter((one) => !taken.has(one)))
    }),
  )
})

describe('a window', () => {
  const slice = (oldRows: number, rows: number): Slice => ({
    afterId: 0n,
    upToId: RANGE_IDS,
    oldRows,
    keptRows: 0,
    keptFor: [],
    oddRows: 0,
    soonId: null,
    digest: { rows: BigInt(rows), idSum: 0n, hashXor: 0n },
  })

  test('has no id at or above the limit, and no more ids than rows may be deleted', () => {
    const window = new Window()
    expect(window.at(11n, 15n, 100)).toEqual({ afterId: 10n, upToId: 14n })
    expect(window.at(11n, 15n, 2)).toEqual({ afterId: 10n, upToId: 12n })
    expect(window.at(1n, 10n ** 9n, 10 ** 9)).toEqual({ afterId: 0n, upToId: 20_000n })
  })

  test('widens while nothing but old rows is found', () => {
    const window = new Window()
    window.found([slice(9, 10)])
    expect(window.at(1n, 10n ** 9n, 10 ** 9).upToId).toBe(20_000n)
    for (let i = 0; i < 5; i++) window.found([slice(10, 10)])
    expect(window.at(1n, 10n ** 9n, 10 ** 9).upToId).toBe(200_000n)
  })

  test('is asked about from the first slice with an old row to the last', () => {
    const slices = [slice(0, 3), slice(2, 3), slice(0, 3), slice(1, 3), slice(0, 3), slice(0, 4)]
    expect(spanOf(slices)).toMatchObject({ slices: slices.slice(1, 4), rowsBehind: 7 })
    expect(spanOf([slice(0, 3)])).toBeNull()
  })
})
