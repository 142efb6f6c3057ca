import { expect, test } from 'vitest'
import { allocateChunk } from '../chunk/chunk.js'
import { leaseUntil } from '../contract/lease.js'
import type { LogScoreChunk } from '../contract/log-score.js'
import type { Source } from '../contract/source.js'
import { guardHoles, holesOf, Sightings } from './holes.js'

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

/** Runs the guard over chunks of consecutive rows behind a hole. @returns how long it took and how often it looked. */
async function guard(rows: number, settleMs: number, settledId = 0n) {
  let looks = 0
  const source = {
    idStep: async () => 1n,
    firstOpenHole: async () => {
      looks += 1
      return null
    },
  } as Partial<Source> as Source // the guard asks nothing else
  const startMs = performance.now()
  const batch = { id: 1n, archiver: 'a', table: 't', afterId: 0n, firstId: 10n, upToId: 9n + BigInt(rows) }
  const watch = { maxId: batch.upToId, sinceMs: startMs, settledId }
  const ids = Array.from({ length: rows }, (_, i) => 10n + BigInt(i))
  async function* chunks() {
    for (let i = 0; i < rows; i += 10_000) yield chunkOf(...ids.slice(i, i + 10_000))
  }
  for await (const _ of guardHoles(chunks(), batch, { source, lease: leaseUntil(), watch, settleMs }));
  return { elapsedMs: performance.now() - startMs, looks }
}

test('an empty hole is looked at again after the window', async () => {
  const { elapsedMs, looks } = await guard(10, 200)
  expect(looks).toBe(2)
  expect(elapsedMs).toBeGreaterThanOrEqual(199)
})

test('so many rows behind it that they took longer than the window: nothing is waited for', async () => {
  const { elapsedMs, looks } = await guard(1_000_000, 2_000)
  expect(looks).toBe(2)
  expect(elapsedMs).toBeLessThan(2_000)
})

test('no hole, no look and no wait', async () => {
  const lease = leaseUntil(AbortSignal.abort(new Error('it waited')))
  const batch = { id: 1n, archiver: 'a', table: 't', afterId: 9n, firstId: 10n, upToId: 12n }
  const source = { idStep: async () => 1n } as Partial<Source> as Source // anything else would throw
  const watch = { maxId: 12n, sinceMs: performance.now(), settledId: 0n }
  async function* chunks() {
    yield chunkOf(10n, 11n, 12n)
  }
  for await (const _ of guardHoles(chunks(), batch, { source, lease, watch, settleMs: 60_000 }));
})

test('a hole that has been there for the window is looked at once, and not waited for', async () => {
  const { elapsedMs, looks } = await guard(10, 60_000, 9n)
  expect(looks).toBe(1)
  expect(elapsedMs).toBeLessThan(30_000)
})

test('but one that ends above what was there then is', async () => {
  expect(await guard(10, 200, 8n)).toMatchObject({ looks: 2 })
})

test('ids are settled once they were seen longer ago than the window', () => {
  const sightings = new Sightings()
  expect(sightings.settledId(3_000, 0)).toBe(0n)
  sightings.note(10n, 0)
  sightings.note(20n, 2_000)
  expect(sightings.settledId(3_000, 3_000)).toBe(0n)
  expect(sightings.settledId(3_000, 3_001)).toBe(10n)
  expect(sightings.settledId(3_000, 5_001)).toBe(20n)
  for (let i = 0; i < 1_000; i++) sightings.note(BigInt(100 + i), 10_000 + i)
  expect(sightings.settledId(3_000, 10_000)).toBe(0n)
})
