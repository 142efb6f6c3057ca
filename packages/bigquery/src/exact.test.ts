import { archivedRow, exactRow } from '@archiver/avro'
import { ordinaryRows } from '@archiver/conformance'
import { chunksFromRows, digestOf, type LogScore, rowsFromChunk, type ScanQuery } from '@archiver/core'
import { verifyArchive } from '@archiver/core/reconcile'
import type { FakeBigQuery, TableField } from '@archiver/fake-bigquery'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createTableSql } from './sql.js'
import { columns, columnsOf } from './table.js'
import { archiverOf, batch, dataset, prepared, rowsIn, startFake, store, stored, table } from './testing/fake.js'

let fake: FakeBigQuery

beforeAll(async () => {
  fake = await startFake()
})
// Not every test makes one; a job's id is only used once.
afterEach(async () => {
  await fake.deleteTable(dataset, table).catch(() => {})
  for (const { jobId, forgotten } of await fake.jobs()) if (!forgotten) await fake.forget(jobId)
})
afterAll(() => fake.close())

const texts = [null, '', '{"leap":0}', '{"leap":0,"stratum":2}']
const rows: LogScore[] = ordinaryRows(60).map((row, i) => ({
  ...row,
  score: row.score + 0.1,
  warning: i % 5 === 0 ? 'odd' : null,
  json: texts[i % texts.length]!,
}))
const [first, second] = [rows.slice(0, 25), rows.slice(25)]

async function read(wanted: Partial<ScanQuery> = {}): Promise<LogScore[]> {
  const found: LogScore[] = []
  const query = { afterId: 0n, upToId: 2n ** 63n, ...wanted }
  for await (const chunk of archiverOf(fake).reader.scan(table, query, new AbortController().signal)) {
    found.push(...rowsFromChunk(chunk))
  }
  return found
}

test('a table that is made for version 2 has its columns', async () => {
  expect(await archiverOf(fake, { schema: 2 }).pendingDdl!(table)).toEqual([
    createTableSql({ projectId: fake.projectId, dataset, table }, 2),
  ])
  await store(await prepared(fake, { schema: 2 }), batch(1n, rows), rows)
  expect(await rowsIn(fake)).toEqual(rows.map(exactRow))
  expect(await read()).toEqual(rows.map(exactRow))
})

test('the first load of version 2 adds its columns to a table of version 1; rows of both are read and verified', async () => {
  await store(await prepared(fake), batch(1n, first), first)
  const archiver = await prepared(fake, { schema: 2 })
  await store(archiver, batch(2n, second), second)
  const stored = [...first.map(archivedRow), ...second.map(exactRow)]
  expect(await read()).toEqual(stored)
  for (const monitorId of [0, 3]) {
    expect(await read({ monitorId })).toEqual(stored.filter((row) => (row.monitorId ?? 0) === monitorId))
  }
  const verify = (source: readonly LogScore[]) =>
    verifyArchive({
      source: {
        nextId: async () => 0n,
        existingIds: async () => [],
        firstId: async () => rows[0]!.id,
        read: () => chunksFromRows(source, 40),
        digest: async () => ({ ...(await digestOf(chunksFromRows(source))), times: [] }),
      },
      reader: archiver.reader,
      table,
      range: { afterId: rows[0]!.id - 1n, upToId: rows.at(-1)!.id },
      skipped: new BigUint64Array(),
      identities: [],
      deep: true,
      signal: new AbortController().signal,
    })
  expect((await verify(rows)).named).toEqual([])
  const changed = rows.with(30, { ...rows[30]!, json: '{"leap": 0}' })
  expect((await verify(changed)).named).toMatchObject([{ kind: 'different', columns: [{ column: 'attributes' }] }])
  // Back to version 1: the columns stay, and have no value.
  const third = ordinaryRows(5, 2_000_000n)
  await store(await prepared(fake), batch(3n, third), third)
  expect((await read()).slice(-5)).toEqual(third.map(archivedRow))
})

test('a batch that version 1 has loaded is whole for version 2', async () => {
  const planned = batch(1n, rows)
  await store(await prepared(fake), planned, rows)
  expect(await stored(await prepared(fake, { schema: 2 }), planned, rows)).toMatchObject({ kind: 'all' })
})

test('a column of another type is named, with what is needed', async () => {
  const fields: TableField[] = columns.map(({ name, type, mode }) => ({ name, type, mode }))
  await fake.createTable(dataset, table, [...fields, { name: 'attributes', type: 'INTEGER' }])
  await expect(prepared(fake, { schema: 2 })).rejects.toMatchObject({
    code: 'BQ_TABLE',
    message: expect.stringContaining('the column attributes is INTEGER, STRING is needed'),
  })
  expect(columnsOf(2).find(({ name }) => name === 'monitor_id')).toMatchObject({ mode: 'NULLABLE' })
})
