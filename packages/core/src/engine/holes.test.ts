import { expect, test } from 'vitest'
import { allocateChunk } from '../chunk.js'
import type { LogScoreChunk } from '../types.js'
import { holesOf } from './holes.js'

function chunkOf(...ids: bigint[]): LogScoreChunk {
  const columns = allocateChunk(ids.length + 5)
  columns.id.set(ids)
  return { ...columns, rows: ids.length, dictionary: [] }
}

test.each([
  ['no hole', 4n, [5n, 6n, 7n], 1n, []],
  ['before the first row', 0n, [5n, 6n], 1n, [[0n, 4n]]],
  [
    'between rows',
    4n,
    [5n, 8n, 9n, 20n],
    1n,
    [
      [5n, 7n],
      [9n, 19n],
    ],
  ],
  ['ids that rise by three', 1n, [4n, 7n, 10n], 3n, []],
  ['a hole among ids that rise by three', 1n, [4n, 10n], 3n, [[4n, 9n]]],
  ['beyond 2^53', 2n ** 60n, [2n ** 60n + 2n], 1n, [[2n ** 60n, 2n ** 60n + 1n]]],
])('%s', (_, previous, ids, step, holes) => {
  expect(holesOf(chunkOf(...ids), previous, step).map(({ afterId, upToId }) => [afterId, upToId])).toEqual(holes)
})
