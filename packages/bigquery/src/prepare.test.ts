import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { temporaryName } from '@archiver/avro'
import type { FakeBigQuery, TableField } from '@archiver/fake-bigquery'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createBigQueryArchiver } from './archiver.js'
import { createTableSql } from './sql.js'
import { columns } from './table.js'
import { archiverOf, dataset, prepared, startFake, table } from './testing/fake.js'

let fake: FakeBigQuery

beforeAll(async () => {
  fake = await startFake()
})
// Not every test makes one.
afterEach(() => fake.deleteTable(dataset, table).catch(() => {}))
afterAll(() => fake.close())

const fields: TableField[] = columns.map(({ name, type, mode }) => ({ name, type, mode }))
const without = (name: string) => fields.filter((field) => field.name !== name)
const changed = (name: string, change: Partial<TableField>) =>
  fields.map((field) => (field.name === name ? { ...field, ...change } : field))

test('a missing table is created by days, clustered by server, with described columns', async () => {
  await prepared(fake)
  const created = (await fake.requests()).findLast(({ operation }) => operation === 'tables.insert')!
  expect(created.body).toMatchObject({
    schema: { fields: columns },
    timePartitioning: { type: 'DAY', field: 'ts' },
    clustering: { fields: ['server_id'] },
  })
  expect(columns.every(({ description }) => description.length > 10)).toBe(true)
  const requests = (await fake.requests()).length
  await prepared(fake)
  const again = (await fake.requests()).slice(requests)
  expect(again.map(({ operation }) => operation)).toEqual(['tables.get'])
})

test('says beforehand what it would create, and creates nothing', async () => {
  const archiver = archiverOf(fake)
  const requests = (await fake.requests()).length
  expect(await archiver.pendingDdl!(table)).toEqual([createTableSql({ projectId: fake.projectId, dataset, table })])
  const asked = (await fake.requests()).slice(requests)
  expect(asked.map(({ operation }) => operation)).toEqual(['tables.get', 'datasets.get'])
  await archiver.prepare(table)
  expect(await archiver.pendingDdl!(table)).toEqual([])
})

test('refuses beforehand what does not fit', async () => {
  await fake.createTable(dataset, table, without('rtt'))
  await expect(archiverOf(fake).pendingDdl!(table)).rejects.toMatchObject({ code: 'BQ_TABLE' })
})

test.each([
  ['all columns', fields],
  ['ts as a number', changed('ts', { type: 'INTEGER' })],
  ['columns that may be NULL', fields.map(({ name, type }) => ({ name, type }))],
  ['columns of its own', [...fields, { name: 'country', type: 'STRING' } as const]],
])('a table with %s is taken', async (_, existing) => {
  await fake.createTable(dataset, table, existing)
  await prepared(fake)
})

test.each([
  ['the column rtt is missing, INTEGER is needed', without('rtt')],
  ['the column ts is DATETIME, TIMESTAMP or INTEGER is needed', changed('ts', { type: 'DATETIME' })],
  ['the column score is STRING, FLOAT is needed', changed('score', { type: 'STRING' })],
  ['the column leap is REQUIRED, NULL must be allowed', changed('leap', { mode: 'REQUIRED' })],
  ['the column error is REPEATED, a single value is needed', changed('error', { mode: 'REPEATED' })],
  [
    'the column country is REQUIRED, and the archiver has no value for it',
    [...fields, { name: 'country', type: 'STRING', mode: 'REQUIRED' } as const],
  ],
])('refused: %s', async (what, existing) => {
  await fake.createTable(dataset, table, existing)
  await expect(prepared(fake)).rejects.toMatchObject({ code: 'BQ_TABLE', message: expect.stringContaining(what) })
})

test.each([
  ['the time of loading', { timePartitioning: { type: 'DAY' } }],
  ['server_id', { rangePartitioning: { field: 'server_id', range: { start: '0', end: '9', interval: '1' } } }],
])('refused: a filter that is required on %s', async (column, layout) => {
  await fake.createTable(dataset, table, fields, { ...layout, requirePartitionFilter: true })
  await expect(prepared(fake)).rejects.toMatchObject({
    code: 'BQ_TABLE',
    message: expect.stringContaining(`requires a filter on its partitions by ${column}`),
  })
})

test.each([
  ['ts', { timePartitioning: { type: 'DAY', field: 'ts' } }],
  ['id', { rangePartitioning: { field: 'id', range: { start: '0', end: '9', interval: '1' } } }],
])('a filter that is required on %s is there', async (_, layout) => {
  await fake.createTable(dataset, table, fields, { ...layout, requirePartitionFilter: true })
  await prepared(fake)
})

test('each column that does not fit is named', async () => {
  await fake.createTable(
    dataset,
    table,
    changed('score', { type: 'STRING' }).filter(({ name }) => name !== 'step'),
  )
  await expect(prepared(fake)).rejects.toThrow(/ntp\.log_scores does not fit: the column score .*; the column step /)
})

test('no such data set: named, with how to create it', async () => {
  await expect(prepared(fake, { dataset: 'nowhere' })).rejects.toMatchObject({
    code: 'BQ_DATASET',
    message: expect.stringContaining('nowhere'),
    hint: expect.stringContaining('bq_dataset'),
  })
})

describe('names that are none', () => {
  test.each([
    ['bq_dataset', { dataset: 'ntp`; drop' }],
    ['bq_project', { projectId: 'No Project' }],
  ])('%s', (variable, change) => {
    expect(() => createBigQueryArchiver({ projectId: 'ntppool', dataset, ...change })).toThrow(
      expect.objectContaining({ code: 'BQ_NAME', message: expect.stringMatching(`^${variable}: `) }),
    )
  })
})

test('access denied is said in plain words', async () => {
  await fake.fail({ on: 'tables.get', do: { kind: 'answer', error: 'accessDenied' } })
  await expect(prepared(fake)).rejects.toMatchObject({
    code: 'BQ_DENIED',
    message: expect.stringMatching(/^cannot look at the table test-project\.ntp\.log_scores: Access Denied/),
    hint: expect.stringContaining('roles/bigquery.dataEditor'),
  })
})

test('a service that stumbles is asked again', async () => {
  await fake.fail({ on: 'tables.get', do: { kind: 'answer', error: 'backendError' } })
  await prepared(fake)
  expect(await fake.clearFaults()).toBe(0)
})

test('nobody there: what to look at', async () => {
  process.env.BIGQUERY_EMULATOR_HOST = 'http://127.0.0.1:1'
  await expect(prepared(fake)).rejects.toMatchObject({ code: 'BQ_UNREACHABLE', retryable: true })
  process.env.BIGQUERY_EMULATOR_HOST = fake.url
}, 60_000)

test('what a killed process left in the spool is removed; that of others is not', async () => {
  const spoolPath = await mkdtemp(join(tmpdir(), 'bigquery-sweep-'))
  const own = temporaryName('archiver-ntp.bigquery', table, 1n)
  const others = [temporaryName('archiver-ntp.gcsavro', table, 1n), temporaryName('archiver-ntp.bigquery', 'other', 1n)]
  for (const name of [own, ...others]) await writeFile(join(spoolPath, name), 'x')
  await prepared(fake, { spoolPath, scope: 'archiver-ntp' })
  expect((await readdir(spoolPath)).sort()).toEqual(others.sort())
  await rm(spoolPath, { recursive: true })
})

test('a spool folder that is not there is named before anything else', async () => {
  const archiver = archiverOf(fake, { spoolPath: '/nowhere' })
  await expect(archiver.validate!()).rejects.toMatchObject({
    code: 'SPOOL_PATH',
    message: expect.stringMatching(/^spool_path: \/nowhere/),
  })
})

describe('a table that drops rows with time', () => {
  const day = 86_400_000
  const refusal = (what: string) => ({
    code: 'BQ_TABLE_EXPIRES',
    message: expect.stringContaining(what),
    hint: expect.stringContaining('archive_expires=ok'),
  })

  test.each<[string, Readonly<Record<string, unknown>>]>([
    [
      'its partitions expire after 30 days',
      { timePartitioning: { type: 'DAY', field: 'ts', expirationMs: `${30 * day}` } },
    ],
    ['it expires at 2100-01-01', { expirationTime: String(Date.UTC(2100, 0, 1)) }],
  ])('%s: refused unless accepted', async (what, settings) => {
    await fake.createTable(dataset, table, fields, settings)
    await expect(prepared(fake)).rejects.toMatchObject(refusal(what))
    await expect(archiverOf(fake).pendingDdl!(table)).rejects.toMatchObject(refusal(what))
    await prepared(fake, { acceptExpiry: true })
  })

  test.each([
    ['partitions', { defaultPartitionExpirationMs: `${60 * day}` }],
    ['tables', { defaultTableExpirationMs: `${60 * day}` }],
  ])('a data set whose new %s expire: nothing is made unless accepted', async (what, expirations) => {
    const id = `forgetting_${what}`
    await fake.createDataset({ id, location: 'EU', ...expirations })
    const told = refusal('its data set gives new tables an expiration of 60 days')
    await expect(prepared(fake, { dataset: id })).rejects.toMatchObject(told)
    await expect(archiverOf(fake, { dataset: id }).pendingDdl!(table)).rejects.toMatchObject(told)
    const made = (await fake.requests()).filter(
      ({ operation, url }) => operation === 'tables.insert' && url.includes(id),
    )
    expect(made).toEqual([])
    await prepared(fake, { dataset: id, acceptExpiry: true })
    await expect(prepared(fake, { dataset: id })).rejects.toMatchObject({ code: 'BQ_TABLE_EXPIRES' })
  })
})
