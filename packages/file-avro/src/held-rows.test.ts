import { copyFile, rename } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { ordinaryRows } from '@archiver/conformance'
import { chunksFromRows, type LogScore, rowsInRange } from '@archiver/core'
import { verifyArchive } from '@archiver/core/reconcile'
import { describe, expect, test } from 'vitest'
import { batch, goFile, prepared, rowsIn, store, stored, testFolder } from './test-support.js'

const rows = ordinaryRows(300)
const idsOf = (list: readonly LogScore[]) => BigUint64Array.from(list, ({ id }) => id)

async function archiverWith(...batches: (readonly LogScore[])[]) {
  const folder = await testFolder()
  const archiver = await prepared(folder)
  for (const [i, part] of batches.entries()) await store(archiver, batch(BigInt(i + 1), part), part)
  return { folder, archiver }
}

test('part of the range in a file: exactly its ids, and the rest makes it whole', async () => {
  const { archiver } = await archiverWith(rows.slice(0, 120))
  const planned = batch(9n, rows)
  expect(await stored(archiver, planned, rows)).toEqual({ kind: 'some', ids: idsOf(rows.slice(0, 120)) })
  const rest = rows.slice(120)
  await store(archiver, planned, rest)
  expect(await stored(archiver, planned, rows)).toMatchObject({
    kind: 'all',
    result: { rows: 300, identity: '1792022400-1000001.avro, 1792022520-1000121.avro' },
  })
})

test('a file that begins before the range counts as far as it reaches into it (a mark moved back)', async () => {
  const { archiver } = await archiverWith(rows.slice(0, 200))
  const after = batch(9n, rows.slice(150))
  expect(await stored(archiver, after, rows.slice(150))).toEqual({ kind: 'some', ids: idsOf(rows.slice(150, 200)) })
  const within = batch(10n, rows.slice(150, 180))
  expect(await stored(archiver, within, rows.slice(150, 180))).toMatchObject({ kind: 'all', result: { rows: 30 } })
})

test('a file of the Go program that goes on beyond the batch is no answer', async () => {
  const folder = await testFolder()
  await copyFile(goFile, join(folder, basename(goFile)))
  const part = (await rowsIn(goFile)).slice(0, 500)
  await expect(stored(await prepared(folder), batch(1n, part), part)).rejects.toMatchObject({
    code: 'AVRO_ARCHIVE_CONTRADICTS',
    message: expect.stringContaining('goes on beyond the batch, with row 1000501'),
  })
})

test('another table’s file, and another installation’s, are not ours', async () => {
  const { archiver } = await archiverWith(rows)
  const same = { ...batch(1n, rows), table: 'log_scores_test' }
  expect(await stored(archiver, same, rows)).toEqual({ kind: 'none' })
  const others = rows.map((row) => ({ ...row, serverId: row.serverId + 1 }))
  expect(await stored(archiver, batch(9n, others), others)).toEqual({ kind: 'none' })
})

test.each([
  ['server_id', { serverId: 77 }],
  ['ts', { tsSeconds: 77 }],
  ['monitor_id', { monitorId: 77 }],
  ['score', { score: 77 }],
  ['step', { step: 77 }],
  ['offset', { offset: 77 }],
  ['rtt', { rtt: 77 }],
  ['leap', { leap: 2 }],
  ['error', { error: 'other' }],
])('a row that differs in %s is named', async (column, change) => {
  const { archiver } = await archiverWith(rows)
  const changed = rows.with(16, { ...rows[16]!, ...change })
  await expect(stored(archiver, batch(1n, rows), changed)).rejects.toMatchObject({
    code: 'AVRO_ARCHIVE_CONTRADICTS',
    message: expect.stringContaining(`differ at row 1000017, column ${column}`),
  })
})

test('the batch’s own file whose first row is no longer in the source is named, not stored again', async () => {
  const { archiver } = await archiverWith(rows)
  await expect(stored(archiver, batch(1n, rows), rows.slice(1))).rejects.toMatchObject({
    message: expect.stringContaining(
      '1792022400-1000001.avro holds 1 row (id 1000001), which log_scores does not have',
    ),
  })
})

test('a row in two files is named', async () => {
  const { folder, archiver } = await archiverWith(rows.slice(0, 200))
  const aside = join(folder, 'aside')
  await rename(join(folder, '1792022400-1000001.avro'), aside)
  await store(archiver, batch(2n, rows.slice(100)), rows.slice(100))
  await rename(aside, join(folder, '1792022400-1000001.avro'))
  await expect(stored(archiver, batch(9n, rows), rows)).rejects.toMatchObject({
    message: expect.stringContaining('row 1000101'),
  })
})

describe.each([
  [1, 2],
  [2, 1],
] as const)('stored with version %i, looked up with version %i', (before, now) => {
  const texts = [null, '', '{"leap":0}', '{"leap":0,"stratum":2}']
  const exact = rows.map((row, i) => ({ ...row, score: row.score + 0.1, json: texts[i % texts.length]! }))

  test('a batch that was stored and not committed is whole, and stays as it is', async () => {
    const folder = await testFolder()
    const planned = batch(1n, exact)
    await store(await prepared(folder, { schema: before }), planned, exact)
    const archiver = await prepared(folder, { schema: now })
    expect(await stored(archiver, planned, exact)).toMatchObject({ kind: 'all', result: { rows: 300 } })
    const different = exact.with(5, { ...exact[5]!, score: 1.25 })
    await expect(stored(archiver, planned, different)).rejects.toThrow(/differ at row 1000006, column score/)
  })

  test('one of which a part is there is finished: two files, each of its version, read as one archive', async () => {
    const folder = await testFolder()
    const part = exact.slice(0, 120)
    await store(await prepared(folder, { schema: before }), batch(1n, part), part)
    const archiver = await prepared(folder, { schema: now })
    const planned = batch(2n, exact)
    expect(await stored(archiver, planned, exact)).toEqual({ kind: 'some', ids: idsOf(part) })
    await store(archiver, planned, exact.slice(120))
    expect(await stored(archiver, planned, exact)).toMatchObject({ kind: 'all', result: { rows: 300 } })
    const { named, rows: compared } = await verifyArchive({
      source: {
        nextId: async () => 0n,
        existingIds: async () => [],
        firstId: async () => exact[0]!.id,
        read: (range) => rowsInRange(chunksFromRows(exact, 70), range),
        digest: () => Promise.reject(new Error('not asked')),
      },
      reader: archiver.reader,
      table: planned.table,
      range: planned,
      skipped: new BigUint64Array(),
      identities: [],
      deep: true,
      signal: new AbortController().signal,
    })
    expect({ named, compared }).toEqual({ named: [], compared: 300 })
  })
})
