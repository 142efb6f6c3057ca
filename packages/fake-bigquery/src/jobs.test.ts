import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FakeBigQuery } from './contract.js'
import { startFakeBigQuery } from './start.js'
import { AvroFolder, clientOf, ended, loadOf, multipart, rowsFrom } from './test-support.js'

const files = new AvroFolder()
let fake: FakeBigQuery
let path: string

beforeAll(async () => {
  fake = await startFakeBigQuery()
  await fake.createDataset({ id: 'ntp', location: 'us-central1' })
  await fake.createDataset({ id: 'eu', location: 'EU' })
  path = await files.write(rowsFrom(1, 10))
})
afterAll(async () => {
  await fake.close()
  await files.remove()
})

async function load(jobId: string, reference: object = {}, table = jobId) {
  const response = await multipart(
    fake,
    { jobReference: { jobId, ...reference }, configuration: { load: loadOf(table) } },
    path,
  )
  return { status: response.status, body: await response.json() }
}

describe('a job', () => {
  test('is found where it ran, and without a location only in US and EU', async () => {
    await load('regional')
    const europe = { configuration: { load: loadOf('in_eu') }, jobReference: { jobId: 'european' } }
    europe.configuration.load.destinationTable.datasetId = 'eu'
    await multipart(fake, europe, path)
    const client = clientOf(fake)

    await expect(client.job('regional').getMetadata()).rejects.toMatchObject({
      code: 404,
      message: expect.stringContaining('Not found: Job test-project:regional'),
    })
    await expect(client.job('regional', { location: 'EU' }).getMetadata()).rejects.toMatchObject({ code: 404 })
    const [found] = await client.job('regional', { location: 'us-central1' }).getMetadata()
    expect(found.id).toBe('test-project:us-central1.regional')
    expect((await client.job('european').getMetadata())[0].jobReference.location).toBe('EU')
  })

  test('cannot run where its dataset is not', async () => {
    expect(await load('elsewhere', { location: 'EU' })).toMatchObject({
      status: 404,
      body: { error: { message: 'Not found: Dataset test-project:ntp was not found in location EU' } },
    })
  })

  test('has an id of letters, digits, - and _', async () => {
    expect(await load('no.dots')).toMatchObject({ status: 400, body: { error: { errors: [{ reason: 'invalid' }] } } })
  })

  test('has labels of lower case', async () => {
    const job = { configuration: { load: loadOf('labels'), labels: { Range: '1-2' } } }
    expect((await multipart(fake, job, path)).status).toBe(400)
  })

  test.each(['PENDING', 'RUNNING'] as const)('stays %s until it is released', async (state) => {
    await fake.fail({ on: 'jobs.upload', do: { kind: 'hold-job', state } })
    const id = `held_${state}`
    await load(id)
    const job = clientOf(fake).job(id, { location: 'us-central1' })
    await expect.poll(async () => (await job.getMetadata())[0].status.state).toBe(state)
    expect(await fake.countOf('ntp', id)).toBe(0)
    await fake.release(id)
    expect((await job.getMetadata())[0].status).toEqual({ state: 'DONE' })
    expect(await fake.countOf('ntp', id)).toBe(10)
  })

  test('can be cancelled while it is held', async () => {
    await fake.fail({ on: 'jobs.upload', do: { kind: 'hold-job', state: 'RUNNING' } })
    await load('cancelled')
    const job = clientOf(fake).job('cancelled', { location: 'us-central1' })
    await job.cancel()
    expect((await job.getMetadata())[0].status.errorResult.reason).toBe('stopped')
    await fake.release()
    expect(await fake.countOf('ntp', 'cancelled')).toBe(0)
  })

  test('that fails says why, and stores nothing', async () => {
    const errors = [
      { reason: 'invalid', message: 'bad row' },
      { reason: 'invalid', message: 'worse row' },
    ] as const
    await fake.fail({ on: 'jobs.upload', do: { kind: 'fail-job', errors } })
    await load('failed')
    const { status, statistics } = await ended(clientOf(fake).job('failed', { location: 'us-central1' }))
    expect(status).toEqual({ state: 'DONE', errorResult: errors[0], errors })
    expect(statistics.load).toBeUndefined()
    expect(await fake.countOf('ntp', 'failed')).toBe(0)
  })

  test('that is forgotten is unknown, and its rows stay', async () => {
    await load('forgotten')
    await fake.release('forgotten')
    await fake.forget('forgotten')
    const job = clientOf(fake).job('forgotten', { location: 'us-central1' })
    await expect(job.getMetadata()).rejects.toMatchObject({ code: 404 })
    expect(await fake.countOf('ntp', 'forgotten')).toBe(10)
  })
})

test('the list has the newest first, and the configuration only when it is asked for', async () => {
  await load('listed_1')
  await load('listed_2')
  const client = clientOf(fake)
  const [jobs] = await client.getJobs({ maxResults: 2, autoPaginate: false })
  expect(jobs.map((job) => job.metadata.jobReference.jobId)).toEqual(['listed_2', 'listed_1'])
  expect(jobs[0]?.metadata.configuration).toBeUndefined()
  const [all] = await client.getJobs({ projection: 'full' })
  expect(all.length).toBe((await fake.jobs()).filter(({ forgotten }) => !forgotten).length)
  expect(all[0]?.metadata.configuration).toMatchObject({ jobType: 'LOAD', load: { sourceFormat: 'AVRO' } })
})

test('a table takes so many loads a day, failed ones too', async () => {
  await fake.limitLoads(2)
  await load('quota_1', {}, 'quota')
  await fake.fail({ on: 'jobs.upload', do: { kind: 'fail-job', errors: [{ reason: 'invalid', message: 'bad' }] } })
  await load('quota_2', {}, 'quota')
  await load('quota_3', {}, 'quota')
  await fake.release()
  await fake.limitLoads(1500)
  const { status } = await ended(clientOf(fake).job('quota_3', { location: 'us-central1' }))
  expect(status.errorResult).toMatchObject({ reason: 'quotaExceeded', location: 'load_job_per_table.long' })
  expect(await fake.countOf('ntp', 'quota')).toBe(10)
})
