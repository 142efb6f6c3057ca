import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDuration, parseDuration } from './duration.js'

describe('parseDuration', () => {
  it.each([
    ['0', 0],
    ['-0', 0],
    ['+0', 0],
    ['0s', 0],
    ['0ms', 0],
    ['250ms', 250],
    ['10s', 10_000],
    ['2m', 120_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['1.s', 1_000],
    ['24h', 86_400_000],
    ['1us', 0.001],
    ['1µs', 0.001],
    ['1μs', 0.001],
    ['1ns', 0.000001],
    ['-1.5h', -5_400_000],
    ['+5s', 5_000],
    ['3m1h', 3_780_000],
    ['0.100000000000000000000h', 360_000],
    ['2562047h47m16.854775807s', 9_223_372_036_854.775],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it.each([
    '',
    ' ',
    '3',
    '-',
    '+',
    's',
    '.',
    '.s',
    '1d',
    '1h 30m',
    ' 1s',
    '1s ',
    '1S',
    '1e3s',
    '1,5s',
    '--1s',
    '10sx',
    '1.5.5s',
  ])('refuses %j', (text) => {
    expect(() => parseDuration(text)).toThrow('is not a duration')
  })

  it.each(['2562048h', '9223372036854775808ns'])('refuses %s, which Go cannot hold', (text) => {
    expect(() => parseDuration(text)).toThrow('is beyond the longest duration')
  })
})

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [250, '250ms'],
    [1_500, '1.5s'],
    [120_000, '2m'],
    [5_400_000, '1h30m'],
    [3_600_001, '1h0.001s'],
  ])('writes %d as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })

  it('writes what parseDuration reads back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9_223_372_036_854 }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms)
      }),
    )
  })
})
