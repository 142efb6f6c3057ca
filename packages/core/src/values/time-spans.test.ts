import fc from 'fast-check'
import { expect, test } from 'vitest'
import { joinSpans } from './time-spans.js'

const day = 86_400
const at = (fromDay: number, toDay = fromDay) => ({ fromSeconds: fromDay * day, toSeconds: toDay * day })

test('spans within three days of each other become one, others stay apart', () => {
  expect(joinSpans([at(7, 8), at(1), at(2, 3), at(9)])).toEqual([at(1, 3), at(7, 9)])
  expect(joinSpans([])).toEqual([])
  expect(joinSpans([at(1, 9), at(2)])).toEqual([at(1, 9)])
})

test('a row of another year does not widen the span of the others', () => {
  expect(joinSpans([at(20_000, 20_001), at(0), at(20_002)])).toEqual([at(0), at(20_000, 20_002)])
})

test('there are at most 50, in order, and they hold every second that was given', () => {
  const span = fc.tuple(fc.nat(40_000), fc.nat(3)).map(([from, days]) => at(from, from + days))
  fc.assert(
    fc.property(fc.array(span, { maxLength: 300 }), (spans) => {
      const joined = joinSpans(spans)
      expect(joined.length).toBeLessThanOrEqual(50)
      for (const [i, { fromSeconds, toSeconds }] of joined.entries()) {
        expect(fromSeconds).toBeLessThanOrEqual(toSeconds)
        if (i > 0) expect(fromSeconds).toBeGreaterThan(joined[i - 1]!.toSeconds + 3 * day)
      }
      for (const { fromSeconds, toSeconds } of spans) {
        expect(joined.some((one) => one.fromSeconds <= fromSeconds && toSeconds <= one.toSeconds)).toBe(true)
      }
    }),
  )
})
