import { expect, test } from 'vitest'
import { archiverState, newRecord } from './records.js'

const policy = { minRows: 50, maxRows: 500_000, intervalMs: 0 }

test.each([
  [100, 5_000, 'ok'],
  [1_000, 3_500, 'ok'],
  [1_000, 59_000, 'ok'],
  [1_000, 61_000, 'late'],
  [30_000, 61_000, 'ok'],
  [30_000, 91_000, 'late'],
])('with a run_interval of %i ms, rows that wait for %i ms are %s', (runIntervalMs, waitingMs, health) => {
  const record = { ...newRecord('clickhouse'), policy, mark: 1n, waitingMs, waitingAtMs: 1_000_000 }
  const newest = { id: 1_000n, tsSeconds: 1_000 }
  const state = archiverState(record, newest, { statusLateAfterMs: undefined, runIntervalMs }, 1_000_000)
  expect(state.health).toBe(health)
})
