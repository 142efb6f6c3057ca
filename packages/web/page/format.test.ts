import { describe, expect, test } from 'vitest'
import { bytes, clockTime, count, duration, list, perSecond, relative, roughly, rows, when } from './format.js'
import { History, recentMean } from './history.js'

test.each([
  [0, '0.0 s'],
  [3_240, '3.2 s'],
  [9_999, '9 s'],
  [42_900, '42 s'],
  [61_000, '1 min 1 s'],
  [600_000, '10 min'],
  [7 * 3_600_000 + 240_000, '7 h 4 min'],
  [76 * 3_600_000, '3 d 4 h'],
])('a duration of %d ms is %s', (ms, text) => expect(duration(ms)).toBe(text))

test('the length of a chart is told roughly', () => {
  expect([600_000, 3_570_000, 14_370_000, 12_600_000].map(roughly)).toEqual(['10 min', '1 h', '4 h', '3.5 h'])
})

test('counts have commas, ids of 64 bits too', () => {
  expect([count(1_234_567), count('18446744073709551615'), rows(1), rows('2304')]).toEqual([
    '1,234,567',
    '18,446,744,073,709,551,615',
    '1 row',
    '2,304 rows',
  ])
  expect([perSecond(0), perSecond(0.25), perSecond(2012.4)]).toEqual(['0', '0.3', '2,012'])
})

test('times are told from now, and by the clock in UTC', () => {
  const nowMs = Date.parse('2026-11-28T14:02:14.600Z')
  expect(relative('2026-11-28T14:02:11Z', nowMs)).toBe('3 s ago')
  expect(relative('2026-11-28T14:02:23Z', nowMs)).toBe('in 8 s')
  expect(relative('2026-11-28T14:02:14Z', nowMs)).toBe('now')
  expect(when('2026-11-28T13:00:00Z', nowMs)).toBe('1 h 2 min ago, 13:00:00')
  expect(clockTime('2026-11-02T13:00:00.123Z', nowMs)).toBe('2 Nov 13:00')
})

test.each([
  [512, '512 B'],
  [1_284_663, '1.3 MB'],
  [999_999, '1.0 MB'],
  [412_771_530, '413 MB'],
])('%d bytes are %s', (value, text) => expect(bytes(value)).toBe(text))

test('names are listed', () => {
  expect([list([]), list(['a']), list(['a', 'b']), list(['a', 'b', 'c'])]).toEqual(['', 'a', 'a and b', 'a, b and c'])
})

describe('history', () => {
  const sample = (second: number, rowsPerSecond: number) => ({
    at: new Date(second * 1000).toISOString(),
    archivers: { clickhouse: { lagRows: null, lagMs: null, rowsPerSecond } },
  })

  test('takes a sample once, and forgets the oldest', () => {
    const history = new History()
    history.replace([sample(0, 1), sample(30, 2)])
    history.add(sample(30, 2))
    history.add(sample(6 * 3600 + 10, 3))
    expect(history.rowsPerSecond('clickhouse').map(({ value }) => value)).toEqual([2, 3])
    expect(history.lagMs('clickhouse').map(({ value }) => value)).toEqual([null, null])
  })

  test('has a mean of the last while', () => {
    const history = new History()
    history.replace([sample(0, 900), sample(30, 10), sample(60, 20)])
    expect(recentMean(history.rowsPerSecond('clickhouse'), 60_000)).toEqual({ value: 15, overMs: 60_000 })
    expect(recentMean([], 60_000)).toBeNull()
  })
})
