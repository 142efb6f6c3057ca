import { expect, test } from 'vitest'
import { chunkFromRows } from '../chunk.js'
import type { LogScore, LogScoreChunk } from '../types.js'
import { compareRows } from './compare-rows.js'
import { FindingLog } from './finding.js'

const plain = { monitorId: 1, serverId: 1, tsSeconds: 1, score: 1, step: 1, offset: 0, rtt: 1 }

async function* chunk(ids: readonly number[]): AsyncGenerator<LogScoreChunk> {
  const rows: LogScore[] = ids.map((id) => ({ id: BigInt(id), ...plain, leap: null, error: null, warning: null }))
  if (rows.length > 0) yield chunkFromRows(rows)
}

test.each([1, 2, 3, 4, 5])('a row that is there twice is doubled, wherever it stands (row %i of 5)', async (twice) => {
  const ids = [1, 2, 3, 4, 5]
  const log = new FindingLog(10)
  const archive = chunk([...ids, twice].sort())
  await compareRows({ source: chunk(ids), archive, log, lowestId: async () => 1n, onChunk: () => undefined })
  expect(log.counts).toMatchObject({ doubled: 1, extra: 0, missing: 0 })
})
