import { BigQuery } from '@google-cloud/bigquery'
import { PassThroughClient } from 'google-auth-library'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import type { FakeBigQuery } from './contract.js'
import { startFakeBigQuery } from './start.js'
import { clientOf } from './test-support.js'

let fake: FakeBigQuery

beforeAll(async () => {
  fake = await startFakeBigQuery()
  await fake.createDataset({ id: 'ntp', location: 'EU' })
})
afterAll(() => fake.close())
afterEach(() => vi.unstubAllEnvs())

const layout = {
  schema: {
    fields: [
      { name: 'id', type: 'INT64', mode: 'REQUIRED', description: 'the id' },
      { name: 'server_id', type: 'INTEGER' },
      { name: 'ts', type: 'TIMESTAMP' },
    ],
  },
  timePartitioning: { type: 'DAY', field: 'ts' },
  clustering: { fields: ['server_id'] },
}

test('a table is made with its layout, once', async () => {
  const dataset = clientOf(fake).dataset('ntp')
  await dataset.createTable('made', layout)
  const [found] = await dataset.table('made').getMetadata()
  expect(found).toMatchObject({
    id: 'test-project:ntp.made',
    location: 'EU',
    numRows: '0',
    timePartitioning: layout.timePartitioning,
    clustering: layout.clustering,
    schema: {
      fields: [
        { name: 'id', type: 'INTEGER', mode: 'REQUIRED', description: 'the id' },
        { name: 'server_id', type: 'INTEGER', mode: 'NULLABLE' },
        { name: 'ts', type: 'TIMESTAMP', mode: 'NULLABLE' },
      ],
    },
  })
  await expect(dataset.createTable('made', layout)).rejects.toMatchObject({
    code: 409,
    message: expect.stringContaining('Already Exists: Table test-project:ntp.made'),
  })
})

test('a layout that cannot be is refused', async () => {
  const dataset = clientOf(fake).dataset('ntp')
  const byId = { ...layout, timePartitioning: { type: 'DAY', field: 'id' } }
  await expect(dataset.createTable('by_id', byId)).rejects.toMatchObject({ code: 400 })
  const byNone = { ...layout, clustering: { fields: ['none'] } }
  await expect(dataset.createTable('by_none', byNone)).rejects.toMatchObject({ code: 400 })
})

test('columns may be added as nullable and relaxed, nothing else', async () => {
  const table = (await clientOf(fake).dataset('ntp').createTable('patched', layout))[0]
  const [id, ...rest] = layout.schema.fields
  await table.setMetadata({
    description: 'new',
    schema: { fields: [{ ...id, mode: 'NULLABLE' }, ...rest, { name: 'rtt', type: 'INT64' }] },
  })
  const [found] = await table.getMetadata()
  expect(found).toMatchObject({ description: 'new', clustering: layout.clustering })
  expect(found.schema.fields).toHaveLength(4)
  await expect(table.setMetadata({ schema: { fields: rest } })).rejects.toMatchObject({
    code: 400,
    message: expect.stringContaining('Provided Schema does not match Table test-project:ntp.patched'),
  })
})

test('what is missing is not found, by its name', async () => {
  const client = clientOf(fake)
  await expect(client.dataset('ntp').table('none').getMetadata()).rejects.toMatchObject({
    code: 404,
    message: expect.stringContaining('Not found: Table test-project:ntp.none'),
  })
  await expect(client.dataset('none').getMetadata()).rejects.toMatchObject({
    code: 404,
    message: expect.stringContaining('Not found: Dataset test-project:none'),
  })
  expect((await client.dataset('ntp').getMetadata())[0].location).toBe('EU')
})

test('BIGQUERY_EMULATOR_HOST leads the client here', async () => {
  vi.stubEnv('BIGQUERY_EMULATOR_HOST', fake.url)
  const client = new BigQuery({ projectId: fake.projectId, authClient: new PassThroughClient() })
  expect((await client.dataset('ntp').getMetadata())[0].id).toBe('test-project:ntp')
})
