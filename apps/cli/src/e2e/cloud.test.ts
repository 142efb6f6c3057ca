import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FakeBigQuery, spawnFakeBigQuery } from '@archiver/fake-bigquery'
import { createGcsBucket, type GcsBucket } from '@archiver/testkit'
import { describeWithMySql, sharedClickHouse, sharedFakeGcs } from '@archiver/testkit/vitest'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { loadedSources } from './loaded-sources.js'
import { runCli } from './run-cli.js'
import { Workplace } from './workplace.js'

const all = ['fileavro', 'clickhouse', 'gcsavro', 'bigquery']

await describeWithMySql(
  'archives in the cloud',
  { clickhouse: sharedClickHouse, gcs: sharedFakeGcs },
  (database, { gcs }) => {
    let place: Workplace
    let bucket: GcsBucket
    let bigQuery: FakeBigQuery
    let spool: string
    let dataset: string
    let datasets = 0
    beforeAll(async () => {
      place = await Workplace.open(database)
      bucket = await createGcsBucket(gcs)
      bigQuery = await spawnFakeBigQuery({ projectId: 'ntppool', storageUrl: gcs.url })
      spool = await mkdtemp(join(tmpdir(), 'archiver-spool-'))
    })
    beforeEach(async () => {
      await place.reset(1_000, all)
      dataset = `scores_${++datasets}`
      await bigQuery.createDataset({ id: dataset, location: 'EU' })
      Object.assign(place.env, {
        gc_bucket: bucket.name,
        STORAGE_EMULATOR_HOST: bucket.server.url,
        bq_dataset: dataset,
        BIGQUERY_EMULATOR_HOST: bigQuery.url,
        batch_bq_interval: '0s',
        spool_path: spool,
      })
    })
    afterAll(async () => {
      await bigQuery.close()
      await place.close()
      await rm(spool, { recursive: true })
    })

    test('every row goes into all four archives, nothing is left in the spool, and verify agrees', async () => {
      expect(await place.run('archive')).toMatchObject({ code: 0 })
      expect(await place.marks()).toEqual({ fileavro: 1000, clickhouse: 1000, gcsavro: 1000, bigquery: 1000 })
      expect(await bigQuery.countOf(dataset, 'log_scores')).toBe(1_000)
      expect(await readdir(spool)).toEqual([])
      const verified = await place.run('verify', '--deep', '--json')
      expect(verified).toMatchObject({ code: 0 })
      for (const name of all) expect(verified.stdout).toContain(`"${name}"`)
    })

    test('rows are read out of all four, the same ones', async () => {
      expect(await place.run('archive')).toMatchObject({ code: 0 })
      const { db_host, db_database, db_user, db_pass, ...env } = place.env
      const asked = ['--monitor', '7', '--from', '101', '--to', '2026-11-01', '--format', 'csv']
      const found = []
      for (const name of all) {
        const run = await runCli(['read', name, ...asked], env)
        expect(run).toMatchObject({ code: 0, stderr: '' })
        const lines = run.stdout.trimEnd().split('\r\n').slice(1)
        // Id, server, monitor and time: floats are kept in different ways.
        found.push(lines.map((line) => line.split(',').slice(0, 4).join()))
      }
      const rows = (await place.fileRows()).filter(({ id, monitorId }) => id > 100n && monitorId === 7)
      expect(rows.length).toBeGreaterThan(0)
      expect(found[0]!.map((line) => line.split(',')[0])).toEqual(rows.map(({ id }) => String(id)))
      for (const others of found) expect(others).toEqual(found[0])
    })

    test('a batch goes to BigQuery through the bucket, which keeps nothing of it', async () => {
      place.env.bq_via_gcs = 'true'
      expect(await place.run('archive', '--only', 'bigquery')).toMatchObject({ code: 0 })
      expect(await bigQuery.countOf(dataset, 'log_scores')).toBe(1_000)
      const jobs = await bigQuery.jobs()
      expect(JSON.stringify(jobs.at(-1)?.configuration)).toContain(`gs://${bucket.name}/bq-spool/`)
    })

    test.each([
      ['no such bucket', 'gcsavro', { gc_bucket: 'nowhere-at-all' }, /gs:\/\/nowhere-at-all: .* Create the bucket/],
      ['no such dataset', 'bigquery', { bq_dataset: 'elsewhere' }, /elsewhere/],
      ['a spool folder that is not there', 'gcsavro', { spool_path: '/nowhere/at/all' }, /spool_path/],
    ])('%s is that archiver’s failure; the others go on', async (_, name, env, message) => {
      Object.assign(place.env, env)
      const run = await place.run('archive', '--only', name, '--only', 'fileavro')
      expect(run.code).toBe(1)
      expect(run.events.find(({ event }) => event === 'archiver.failed')).toMatchObject({
        archiver: name,
        msg: expect.stringMatching(message),
        error: { hint: expect.any(String) },
      })
      expect(await place.marks()).toMatchObject({ [name]: null, fileavro: 1000 })
    })

    test.each(['gcsavro', 'bigquery'])(
      '%s: a key file that is missing or no key is named by its variable',
      async (name) => {
        delete place.env.STORAGE_EMULATOR_HOST
        delete place.env.BIGQUERY_EMULATOR_HOST
        const noKey = join(spool, 'key.json')
        await writeFile(noKey, '{"type":"service_account","private_key":"s3cret"')
        for (const file of [join(spool, 'missing.json'), noKey]) {
          place.env.GOOGLE_APPLICATION_CREDENTIALS = file
          const run = await place.run('archive', '--only', name)
          expect(run.code).toBe(1)
          expect(run.stderr).toContain('GOOGLE_APPLICATION_CREDENTIALS')
          expect(run.stderr).not.toContain('s3cret')
        }
        await rm(noKey)
      },
    )

    test('where their rows are not served, neither a library of Google nor the cleaner is loaded', async () => {
      const sources = await loadedSources(place, 'archive', '--only', 'fileavro', '--only', 'clickhouse')
      expect(sources.filter((file) => /google|gcs-avro|bigquery\/|cleanup\/.*cleaner/.test(file))).toEqual([])
      expect(sources.some((file) => /file-avro/.test(file))).toBe(true)
    })
  },
)
