import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Fault as BigQueryFault, FakeBigQuery, FaultAction } from '@archiver/fake-bigquery'
import { type GcsFault, type GcsProxy, type SourceRow, startGcsProxy } from '@archiver/testkit'
import { describeWithMySql, sharedClickHouse, sharedFakeGcs } from '@archiver/testkit/vitest'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ArchiverName } from './archives.js'
import { Cli, type CliResult, runCli } from './cli.js'
import type { Fault } from './fault.js'
import { oddRows } from './rows.js'
import { Site } from './site.js'
import { writeIdentity } from './workload-identity.js'

/** Two batches: of 10 MB, which Cloud Storage gets in a session that can be resumed, and of 3 MB, in one request. */
const ROWS = 2_600
const BATCHES = { batch_avro_max_size: '2000', batch_bq_max_size: '2000' }
const VIA_BUCKET = { bq_via_gcs: 'true' }

function* largeRows(): Generator<SourceRow> {
  for (const row of oddRows({ rows: ROWS, seed: 9 })) {
    yield { ...row, attributes: JSON.stringify({ leap: 0, error: `${row.id} no route `.repeat(400) }) }
  }
}

await describeWithMySql(
  'faults of Google’s services, in the built program',
  { clickhouse: sharedClickHouse, gcs: sharedFakeGcs },
  (database, { clickhouse, gcs }) => {
    let site: Site
    let proxy: GcsProxy
    let bigQuery: FakeBigQuery
    let folder: string
    let env: Record<string, string | undefined>
    beforeAll(async () => {
      site = await Site.open(database, clickhouse, gcs)
      await site.fill(largeRows(), [])
      bigQuery = site.cloud.bigQuery
      proxy = await startGcsProxy(gcs.url)
      proxy.requireTokens()
      folder = await mkdtemp(join(tmpdir(), 'archiver-identity-'))
      env = {
        ...site.env,
        ...BATCHES,
        STORAGE_EMULATOR_HOST: undefined,
        BIGQUERY_EMULATOR_HOST: undefined,
        gc_endpoint: proxy.url,
        bq_endpoint: bigQuery.url,
        GOOGLE_APPLICATION_CREDENTIALS: await writeIdentity(folder, `${proxy.url}/token`),
      }
    })
    afterEach(async () => {
      proxy.clearFaults()
      await bigQuery.clearFaults()
    })
    afterAll(async () => {
      await proxy[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
      await site.close()
    })

    const run = (settings = {}, fault?: Fault) => runCli({ ...env, ...settings }, fault)

    /** A plain run finds nothing wrong, and then every archive holds every row once and nothing is left behind. */
    async function expectWhole(archiver: ArchiverName, settings = {}): Promise<void> {
      expect(await run(settings)).toMatchObject({ code: 0 })
      expect(await site.problems(archiver)).toEqual([])
      expect(await site.problems('fileavro')).toEqual([])
    }

    /** The archiver has failed with this code, and its mark stays; the other has not been stopped by that. */
    async function expectFailure({ code, events }: CliResult, archiver: ArchiverName, error: string): Promise<void> {
      expect(code).toBe(1)
      const failed = events.filter(({ event }) => event === 'archiver.failed')
      expect(failed).toMatchObject([{ archiver, error: { code: error } }])
      expect(await site.marks()).toEqual({ [archiver]: null, fileavro: ROWS })
    }

    const codesOfRetries = ({ events }: CliResult) =>
      events.flatMap(({ event, error }) => (event === 'archiver.retrying' ? [error?.code] : []))

    describe('Cloud Storage', () => {
      beforeEach(() => site.empty(['gcsavro', 'fileavro']))

      const cutAndExpire = { kind: 'cut', afterBytes: 1_000_000, andThen: () => proxy.expireTokens() } as const
      const failed412 = { kind: 'answer', status: 412, reason: 'conditionNotMet' } as const

      // How many new tokens it takes, and how many requests for the small object.
      test.each<[string, number, number, GcsFault, GcsFault]>([
        ['loses its answers', 0, 2, { on: 'send', kind: 'lose-answer' }, { on: 'post', kind: 'lose-answer' }],
        ['answers 412 and has nothing', 0, 2, { on: 'begin', ...failed412 }, { on: 'post', ...failed412 }],
        [
          'cuts bodies in the middle',
          0,
          2,
          { on: 'send', kind: 'cut', afterBytes: 3_000_000, times: 2 },
          { on: 'post', kind: 'cut', afterBytes: 1_000_000 },
        ],
        [
          'refuses a token in the middle of a body',
          2,
          3,
          { on: 'send', ...cutAndExpire },
          { on: 'post', ...cutAndExpire },
        ],
      ])('%s: stored once, without a failure', async (_, newTokens, requests, ...faults) => {
        const [posts, tokens] = [postsSeen(), proxy.tokens]
        proxy.fail(...faults)
        const result = await run()
        expect(result).toMatchObject({ code: 0 })
        expect(codesOfRetries(result)).toEqual([])
        expect(proxy.tokens - tokens).toBe(1 + newTokens)
        expect(postsSeen() - posts).toBe(requests)
        await expectWhole('gcsavro')
      })

      const postsSeen = () => proxy.requests.filter(({ step }) => step === 'post').length

      test('answers 503 for longer than a request is repeated: tried again by the engine, and stored once', async () => {
        const storm = { kind: 'answer', status: 503 } as const
        proxy.fail({ on: 'begin', times: 2, ...storm }, { on: 'send', times: 2, ...storm })
        proxy.fail({ on: 'post', times: 6, ...storm })
        const result = await run()
        expect(result).toMatchObject({ code: 0 })
        expect(codesOfRetries(result)).toEqual(['GCS_BUSY'])
        await expectWhole('gcsavro')
      })

      test('loses an answer to a process that dies before it asks again: found by the next', async () => {
        proxy.fail({ on: 'send', kind: 'lose-answer' }, { on: 'progress', kind: 'stall' })
        const cli = new Cli({ ...env, ...BATCHES })
        await expect.poll(() => proxy.requests.at(-1)?.step, { timeout: 30_000 }).toBe('progress')
        cli.child.kill('SIGKILL')
        await cli.done
        const result = await run()
        expect(result.events.find(({ event }) => event === 'batch.recovering')).toMatchObject({ held: 'all' })
        await expectWhole('gcsavro')
      })

      test("has another batch's object under the name: named, left alone, and no other archiver is stopped", async () => {
        const [name] = await namesOfObjects()
        await site.empty(['gcsavro', 'fileavro'])
        const metadata = { 'archiver.table': 'log_scores', 'archiver.batch': '77', 'archiver.up_to': '9' }
        await site.cloud.put(name!, 'not ours', { 'archiver.after': '0', ...metadata })
        await expectFailure(await run(), 'gcsavro', 'GCS_OBJECT_TAKEN')
        expect(await site.cloud.text(name!)).toBe('not ours')
        await site.cloud.remove(name!)
        await expectWhole('gcsavro')
      })

      async function namesOfObjects(): Promise<string[]> {
        await expectWhole('gcsavro')
        return (await site.cloud.objects()).sort()
      }
    })

    describe('BigQuery', () => {
      beforeEach(() => site.empty(['bigquery', 'fileavro']))

      const uploadMeets = (action: FaultAction, times = 1): BigQueryFault => ({ on: 'jobs.upload', times, do: action })
      /** A look-up that does not find a job which is there, so that it is met by the 409 of the next upload. */
      const notFound = { on: 'jobs.get', times: 3, do: { kind: 'answer', error: 'jobNotFound' } } as const
      const badRow = { kind: 'fail-job', errors: [{ reason: 'invalid', message: 'Cannot convert row 77' }] } as const

      const loads = async () =>
        (await bigQuery.jobs()).filter(({ jobId, forgotten }) => !forgotten && /_\d+_\d+$/.test(jobId))
      const uploads = async () => (await bigQuery.requests()).filter(({ operation }) => operation === 'jobs.upload')

      test.each<[string, FaultAction, number]>([
        ['loses an answer', { kind: 'lose-response' }, 1],
        ['sends half an answer', { kind: 'cut-response', afterBytes: 20 }, 1],
        ['answers 503 after success', { kind: 'answer-after', error: 'backendError' }, 1],
        ['answers 503 before', { kind: 'answer', error: 'backendError' }, 2],
        ['cuts a body in the middle', { kind: 'cut-body', afterBytes: 3_000_000 }, 1],
        ['has a request take effect only later', { kind: 'land-later' }, 1],
      ])('%s: stored once, without a failure', async (_, action, times) => {
        await bigQuery.fail(uploadMeets(action, times))
        const result = await run()
        expect(result).toMatchObject({ code: 0 })
        expect(codesOfRetries(result)).toEqual([])
        await bigQuery.release()
        expect(await loads()).toHaveLength(2)
        await expectWhole('bigquery')
      })

      test('answers 503 for longer than an upload is repeated: tried again by the engine, and stored once', async () => {
        await bigQuery.fail(uploadMeets({ kind: 'answer', error: 'backendError' }, 7))
        const result = await run()
        expect(result).toMatchObject({ code: 0 })
        expect(codesOfRetries(result)).toEqual(['BQ_BUSY', 'BQ_BUSY'])
        await expectWhole('bigquery')
      })

      test('refuses a token at the end of an upload: it is sent again with a new one', async () => {
        const before = (await uploads()).length
        await bigQuery.fail(uploadMeets({ kind: 'answer', error: 'authError' }))
        expect(await run()).toMatchObject({ code: 0 })
        const [first, second, third] = (await uploads()).slice(before).map(({ headers }) => headers.authorization)
        expect([first, second]).toEqual([expect.stringMatching(/^Bearer token-\d+$/), expect.any(String)])
        expect([second === first, third === second]).toEqual([false, true])
        await expectWhole('bigquery')
      })

      test.each(['found', 'met by a 409'])(
        'has the job of a process that died, and it runs (%s): adopted',
        async (how) => {
          await bigQuery.fail(uploadMeets({ kind: 'hold-job', state: 'RUNNING' }))
          expect(await run({}, { point: 'bigquery.sent', pass: 1, action: 'kill' })).toMatchObject({
            signal: 'SIGKILL',
          })
          const sent = (await uploads()).length
          if (how !== 'found') await bigQuery.fail(notFound)
          const second = run()
          // It has asked, been told that the job runs, and asks again.
          await expect.poll(async () => (await asked()).slice(-2), { timeout: 30_000 }).toEqual([200, 200])
          expect((await uploads()).length - sent).toBe(how === 'found' ? 0 : 1)
          await bigQuery.release()
          expect(await second).toMatchObject({ code: 0 })
          expect(await loads()).toHaveLength(2)
          await expectWhole('bigquery')
        },
      )

      const asked = async () =>
        (await bigQuery.requests()).flatMap(({ operation, status }) => (operation === 'jobs.get' ? [status] : []))

      test.each(['found', 'met by a 409'])(
        'has a job that has failed (%s): a new attempt, and no other archiver is stopped',
        async (how) => {
          await bigQuery.fail(uploadMeets(badRow))
          await expectFailure(await run(), 'bigquery', 'BQ_JOB_FAILED')
          if (how !== 'found') {
            await bigQuery.fail(notFound)
            await expectFailure(await run(), 'bigquery', 'BQ_JOB_FAILED')
          }
          await expectWhole('bigquery')
          expect((await loads()).map(({ jobId }) => jobId.split('_').at(-1))).toEqual(['1', '2', '1'])
        },
      )
    })

    describe('BigQuery with files that go through a bucket', () => {
      beforeEach(() => site.empty(['bigquery', 'fileavro']))

      test.each<[string, BigQueryFault['do'] | undefined, readonly GcsFault[]]>([
        ['the answer to a job is lost', { kind: 'lose-response' }, []],
        ['a job is answered with 503', { kind: 'answer', error: 'backendError' }, []],
        ['a job is refused for its token', { kind: 'answer', error: 'authError' }, []],
        ['the answer to an object is lost', undefined, [{ on: 'post', kind: 'lose-answer' }]],
        ['an object is answered with 503', undefined, [{ on: 'post', kind: 'answer', status: 503, times: 2 }]],
        ['an object is cut in the middle', undefined, [{ on: 'post', kind: 'cut', afterBytes: 1_000_000 }]],
        [
          'a token expires in the middle of an object',
          undefined,
          [{ on: 'post', kind: 'cut', afterBytes: 1_000_000, andThen: () => proxy.expireTokens() }],
        ],
      ])('%s: stored once, without a failure, and no object stays', async (_, action, faults) => {
        if (action) await bigQuery.fail({ on: 'jobs.insert', do: action })
        proxy.fail(...faults)
        expect(await run(VIA_BUCKET)).toMatchObject({ code: 0 })
        await expectWhole('bigquery', VIA_BUCKET)
      })

      test('a process dies with its object there, and files do not go through it any more: none stays', async () => {
        expect(await run(VIA_BUCKET, { point: 'bigquery.sent', pass: 1, action: 'kill' })).toMatchObject({ code: null })
        expect(await site.cloud.objects()).toHaveLength(1)
        await expectWhole('bigquery')
      })
    })
  },
)
