import { expect, test } from 'vitest'
import { History } from './history.js'

const lags = { clickhouse: { lagRows: 0, lagMs: 0 } }

/** Rows a second over ten minutes, after what `work` did in them. */
function rateAfter(work: (history: History) => void): number | undefined {
  const history = new History()
  history.sample('start', 0, lags)
  work(history)
  history.sample('end', 600_000, lags)
  return history.samples.at(-1)?.archivers.clickhouse?.rowsPerSecond ?? undefined
}

test('counts what a batch has reached, and what the next one has', () => {
  const rate = rateAfter((history) => {
    for (const rows of [100, 400, 600]) history.reached('clickhouse', 1n, rows)
    history.reached('clickhouse', 601n, 600)
  })
  expect(rate).toBe(2)
})

test('does not count again what a batch had reached before it was shortened or tried again', () => {
  const rate = rateAfter((history) => {
    for (const rows of [300, 500, 100, 400, 600]) history.reached('clickhouse', 1n, rows)
  })
  expect(rate).toBe(1)
})

test('adds no more samples than one in half a minute, and keeps those of six hours', () => {
  const history = new History()
  for (let second = 0; second < 8 * 3_600; second++) history.sample(String(second), second * 1_000, lags)
  expect(history.samples).toHaveLength(720)
  expect(history.samples.at(-1)?.at).toBe(String(8 * 3_600 - 30))
})
