import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { Simulation } from './testing/simulation.js'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void // as V8 documents it

/** From one time to the next. */
function gaps(times: readonly number[]): number[] {
  return times.slice(1).map((time, i) => time - times[i]!)
}

function heapBytes(): number {
  collect()
  return process.memoryUsage().heapUsed
}

test('24 hours: each archiver keeps its own schedule, whatever the others do', async () => {
  const day = new Simulation({
    clickhouse: { policy: { minRows: 5, maxRows: 500_000, intervalMs: 0 } },
    bigquery: { policy: { minRows: 200, maxRows: 10_000_000, intervalMs: 10 * MINUTE_MS }, storeMs: 3 * MINUTE_MS },
    fileavro: { policy: { minRows: 5_000, maxRows: 10_000_000, intervalMs: 6 * HOUR_MS } },
    gcsavro: { policy: { minRows: 10, maxRows: 10_000_000, intervalMs: MINUTE_MS }, failing: [5, 8] },
  })
  await day.clock.advance(2 * HOUR_MS)
  const heapAfterTwoHours = heapBytes()
  const eventsAfterTwoHours = day.events.length
  await day.clock.advance(22 * HOUR_MS)
  const grownBytes = heapBytes() - heapAfterTwoHours

  // Every poll, without one left out.
  expect(day.done('clickhouse').length).toBeGreaterThanOrEqual(8_638)
  expect(new Set(gaps(day.done('clickhouse')))).toEqual(new Set([10_000]))
  // The interval counts from the commit; then it takes three minutes again.
  expect(Math.min(...gaps(day.done('bigquery')))).toBe(13 * MINUTE_MS)
  expect(Math.max(...gaps(day.done('bigquery')))).toBeLessThanOrEqual(13 * MINUTE_MS + 10_000)
  expect(gaps(day.done('fileavro'))).toHaveLength(3)
  expect(Math.max(...gaps(day.done('fileavro')))).toBeLessThanOrEqual(6 * HOUR_MS + 10_000)
  expect(new Set(gaps(day.cleanups))).toEqual(new Set([4 * MINUTE_MS]))

  // While it fails it is asked less and less often, but never more seldom than every quarter of an hour and a poll.
  const failures = day.failed('gcsavro')
  const waits = gaps(failures)
  expect(failures.length).toBeLessThan(30)
  expect(waits[0]).toBeLessThanOrEqual(20_000)
  expect(Math.max(...waits)).toBeLessThanOrEqual(15 * MINUTE_MS + 10_000)
  expect(Math.max(...waits)).toBeGreaterThan(7 * MINUTE_MS)
  const recovered = day.done('gcsavro').find((time) => time > failures.at(-1)!)
  expect(recovered! - 8 * HOUR_MS).toBeLessThanOrEqual(15 * MINUTE_MS + 10_000)

  // What the test itself keeps of the events is not the service's.
  const keptBytes = (day.events.length - eventsAfterTwoHours) * 1_500
  expect(grownBytes).toBeLessThan(keptBytes + 5_000_000)
  expect(day.board.history().length).toBe(720)
  await day.end()
})

test('a batch that ends while the service is told to stop is committed, and none is begun after', async () => {
  const day = new Simulation({
    bigquery: { policy: { minRows: 10, maxRows: 100, intervalMs: 0 }, storeMs: 3 * MINUTE_MS },
  })
  await day.clock.advance(MINUTE_MS)
  await day.end()
  expect(day.done('bigquery')).toHaveLength(1)
  expect(day.events.filter(({ event }) => event.event === 'batch.planned')).toHaveLength(1)
})

test('a run that ends while it is looked what there is to do is not taken for undone', async () => {
  const archive = { policy: { minRows: 1, maxRows: 100, intervalMs: 0 }, storeMs: 1_400 }
  const day = new Simulation({ clickhouse: archive, fileavro: { ...archive, storeMs: 700 } }, 1_000, 500)
  await day.clock.advance(HOUR_MS)
  const events = day.events.map(({ event }) => event.event)
  expect(events).not.toContain('mark.moved')
  expect(events).not.toContain('batch.recovering')
  expect(day.done('fileavro').length).toBeGreaterThan(1_000)
  await day.end()
})
