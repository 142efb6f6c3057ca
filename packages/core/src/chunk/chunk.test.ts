import { expect, test } from 'vitest'
import type { LogScore } from '../contract/log-score.js'
import { chunkFromRows, chunksFromRows, rowsFromChunk } from './chunk.js'

const row: LogScore = {
  id: 2n ** 63n,
  monitorId: null,
  serverId: 2 ** 32 - 1,
  tsSeconds: 2 ** 32 - 1,
  score: -0.1,
  step: 1e300,
  offset: null,
  rtt: -5,
  leap: null,
  error: 'é \u{1f553}',
  warning: null,
}

test('rows survive the way through columns', () => {
  const rows = [
    { ...row, id: 1n, monitorId: 0, offset: 0, rtt: null, leap: 3, error: null },
    row,
    { ...row, id: 2n ** 64n - 1n },
  ]
  expect(rowsFromChunk(chunkFromRows(rows))).toEqual(rows)
})

test.each([
  ['id', { id: 2n ** 64n }],
  ['id', { id: -1n }],
  ['monitor_id', { monitorId: 2 ** 32 }],
  ['server_id', { serverId: -1 }],
  ['ts', { tsSeconds: 1.5 }],
  ['rtt', { rtt: 2 ** 31 }],
])('refuses a %s that would wrap', (column, wrong) => {
  expect(() => chunkFromRows([{ ...row, id: 9n, ...wrong }])).toThrow(
    expect.objectContaining({ code: 'ROW_UNFIT', column }),
  )
})

test('equal attributes share one dictionary entry', () => {
  expect(chunkFromRows([row, { ...row, id: 1n }, { ...row, leap: 1 }]).dictionary).toHaveLength(2)
})

test('a stream of rows is cut into chunks', async () => {
  const sizes: number[] = []
  for await (const chunk of chunksFromRows(Array<LogScore>(25).fill(row), 10)) sizes.push(chunk.rows)
  expect(sizes).toEqual([10, 10, 5])
})
