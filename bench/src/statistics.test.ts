import { describe, expect, test } from 'vitest'
import { median, percentile, ratioToNeighbours, rowRate } from './statistics.js'

describe('median', () => {
  test('of an odd count is the middle value, in whatever order they come', () => {
    expect(median([9, 1, 5])).toBe(5)
    expect(median([10, 9, 100])).toBe(10)
    expect(median([7])).toBe(7)
  })

  test('of an even count is the mean of the two in the middle', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5)
  })

  test('leaves its input as it was, and refuses an empty one', () => {
    const values = [3, 1, 2]
    median(values)
    expect(values).toEqual([3, 1, 2])
    expect(() => median([])).toThrow('nothing')
  })
})

test('a ratio is taken to the mean of the neighbours, so that a slow minute cancels out', () => {
  expect(ratioToNeighbours(90, 100, 100)).toBe(0.9)
  expect(ratioToNeighbours(90, 120, 60)).toBe(1)
  expect(ratioToNeighbours(45, 50, 50)).toBe(ratioToNeighbours(90, 100, 100))
})

test('a rate is in rows a second', () => {
  expect(rowRate(1500, 500)).toBe(3000)
})

test('a percentile is a value that was measured, and at 1 the highest', () => {
  const values = Array.from({ length: 200 }, (_, i) => 200 - i)
  expect(percentile(values, 0.5)).toBe(100)
  expect(percentile(values, 0.99)).toBe(198)
  expect(percentile(values, 1)).toBe(200)
  expect(percentile([7], 0.5)).toBe(7)
  expect(() => percentile([], 0.5)).toThrow('nothing')
})
