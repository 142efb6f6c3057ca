import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Refusals } from './refusals.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('tells of the first at once, of the rest as a sum a minute later, each kind by itself', () => {
  const [lines, counted]: [string[], string[]] = [[], []]
  using refusals = new Refusals({ warn: (text) => lines.push(text), count: (reason) => counted.push(reason) })
  for (let i = 0; i < 1000; i++) refusals.add('url', `10.0.0.${i}`)
  refusals.add('body', 'b'.repeat(10_000))
  expect(lines).toEqual([
    'http: refused, the path is too long (10.0.0.0)',
    `http: refused, requests have no body here (${'b'.repeat(120)}…)`,
  ])
  vi.advanceTimersByTime(60_000)
  expect(lines.slice(2)).toEqual(['http: refused 999 more, the path is too long'])
  refusals.add('body', 'again')
  expect(lines).toHaveLength(4)
  refusals.add('url', 'still counted')
  expect(lines).toHaveLength(4)
  vi.advanceTimersByTime(300_000)
  expect(lines).toHaveLength(5)
  expect(counted).toHaveLength(1003)
})
