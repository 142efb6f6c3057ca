import { archivedRow } from '@archiver/avro'
import { ordinaryRows } from '@archiver/conformance'
import { leaseUntil } from '@archiver/core'
import type { FakeBigQuery } from '@archiver/fake-bigquery'
import { type GcsProxy, startGcsProxy } from '@archiver/testkit'
import { describeWithFakeGcs } from '@archiver/testkit/vitest'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { batch, dataset, location, prepared, rowsIn, startFake, store, stored, table } from './testing/fake.js'

const rows = ordinaryRows(300)
const id = 'archiver_ntp-log_scores_1_1'

await describeWithFakeGcs('through a bucket', (bucket) => {
  let fake: FakeBigQuery

  beforeAll(async () => {
    process.env.STORAGE_EMULATOR_HOST = bucket.server.url
    fake = await startFake({ storageUrl: bucket.server.url })
  })
  afterEach(async () => {
    expect(await objects()).toEqual([])
    await fake.deleteTable(dataset, table)
    for (const { jobId } of await fake.jobs()) await fake.forget(jobId)
  })
  afterAll(() => fake.close())

  const open = () => prepared(fake, { viaBucket: { name: bucket.name }, maxUploadBytes: 1 })

  async function objects(): Promise<string[]> {
    const answer = await fetch(`${bucket.server.url}/storage/v1/b/${bucket.name}/o`)
    const { items = [] } = (await answer.json()) as { items?: { name: string }[] } // of the emulator
    return items.map(({ name }) => name)
  }

  test('a file of any size is loaded from an object, which is then removed', async () => {
    const result = await store(await open(), batch(1n, rows), rows)
    expect(result).toMatchObject({ rows: 300, identity: id })
    expect(await rowsIn(fake)).toEqual(rows.map(archivedRow))
    expect(await stored(await open(), batch(1n, rows), rows)).toEqual({ kind: 'all', result })
    const load = (await fake.requests()).find(({ body }) => JSON.stringify(body)?.includes('sourceUris'))!
    expect(load.body).toMatchObject({
      jobReference: { jobId: id, location },
      configuration: {
        labels: { archiver_batch: '1' },
        load: { sourceUris: [`gs://${bucket.name}/bq-spool/${id}.avro`], useAvroLogicalTypes: true },
      },
    })
  })

  test('a large file goes up in a session that can be resumed', async () => {
    const many = ordinaryRows(300_000)
    expect((await store(await open(), batch(1n, many), many)).bytes).toBeGreaterThan(8 * 2 ** 20)
    expect(await fake.countOf(dataset, table)).toBe(300_000)
  })

  test('the object stays while its job may read it, and is swept after', async () => {
    await fake.fail({ on: 'jobs.insert', do: { kind: 'hold-job', state: 'RUNNING' } })
    const stop = new AbortController()
    const first = store(await open(), batch(1n, rows), rows, leaseUntil(stop.signal))
    while (!(await fake.jobs()).some(({ state }) => state === 'RUNNING'));
    stop.abort(new Error('the process ends'))
    await expect(first).rejects.toThrow('the process ends')
    const second = await open()
    expect(await objects()).toEqual([`bq-spool/${id}.avro`])
    await fake.release()
    expect(await stored(second, batch(1n, rows), rows)).toMatchObject({ kind: 'all' })
    // Nobody waits for the job any more: whoever finds that it has ended removes what it read.
    expect(await objects()).toEqual([])
  })

  describe('what a killed process left is removed although files do not go through the bucket any more', () => {
    const openWithout = () => prepared(fake, { formerBucket: { name: bucket.name } })

    test('when its job has ended', async () => {
      await fake.fail({ on: 'jobs.insert', do: { kind: 'hold-job', state: 'RUNNING' } })
      const stop = new AbortController()
      const first = store(await open(), batch(1n, rows), rows, leaseUntil(stop.signal))
      while (!(await fake.jobs()).some(({ state }) => state === 'RUNNING'));
      stop.abort(new Error('the process ends'))
      await expect(first).rejects.toThrow('the process ends')
      const second = stored(await openWithout(), batch(1n, rows), rows)
      expect(await objects()).toEqual([`bq-spool/${id}.avro`])
      await fake.release()
      expect(await second).toMatchObject({ kind: 'all' })
    })

    test('when it has no job', async () => {
      await fake.fail({ on: 'jobs.insert', do: { kind: 'answer', error: 'accessDenied' } })
      await expect(store(await open(), batch(1n, rows), rows)).rejects.toMatchObject({ code: 'BQ_DENIED' })
      expect(await objects()).toEqual([`bq-spool/${id}.avro`])
      const archiver = await openWithout()
      expect(await stored(archiver, batch(1n, rows), rows)).toEqual({ kind: 'none' })
      expect(await objects()).toEqual([])
      expect(await store(archiver, batch(1n, rows), rows)).toMatchObject({ identity: id })
    })

    test('and where the bucket is gone, nothing stops for it', async () => {
      const archiver = await prepared(fake, { formerBucket: { name: 'no-such-bucket' } })
      expect(await stored(archiver, batch(1n, rows), rows)).toEqual({ kind: 'none' })
    })
  })

  describe('files that may not be deleted', () => {
    let proxy: GcsProxy
    const deletions = () => proxy.requests.filter(({ method }) => method === 'DELETE').length
    beforeEach(async () => {
      proxy = await startGcsProxy(bucket.server.url)
      process.env.STORAGE_EMULATOR_HOST = proxy.url
    })
    afterEach(async () => {
      process.env.STORAGE_EMULATOR_HOST = bucket.server.url
      await proxy[Symbol.asyncDispose]()
      await (await open())[Symbol.asyncDispose]()
    })

    test('are said, and a pass tries one of them, however many there are', async () => {
      const refuse = { on: 'delete', kind: 'answer', status: 403, reason: 'retentionPolicyNotMet' } as const
      proxy.fail({ ...refuse, times: 100 })
      for (let number = 1n; number <= 5n; number++) {
        const own = ordinaryRows(10).map((row) => ({ ...row, id: row.id + number * 1000n }))
        await store(await open(), batch(number, own), own)
      }
      expect(await objects()).toHaveLength(5)
      const before = deletions()
      const archiver = await open()
      expect(deletions() - before).toBe(1)
      expect(archiver.takeWarnings!()).toMatchObject([{ code: 'BQ_SPOOL_KEPT' }])
      proxy.clearFaults()
    })
  })

  test('a lost answer does not load twice', async () => {
    await fake.fail({ on: 'jobs.insert', do: { kind: 'lose-response' } })
    await store(await open(), batch(1n, rows), rows)
    expect(await rowsIn(fake)).toHaveLength(300)
  })

  test('no such bucket: named, with the settings to correct', async () => {
    await expect(prepared(fake, { viaBucket: { name: 'no-such-bucket' } })).rejects.toMatchObject({
      code: 'BQ_BUCKET',
      hint: expect.stringContaining('gc_bucket'),
    })
  })
})
