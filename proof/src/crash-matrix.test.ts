import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { FaultPoint } from '@archiver/core'
import { describeWithMySql, sharedClickHouse, sharedFakeGcs } from '@archiver/testkit/vitest'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ARCHIVERS, type ArchiverName } from './archives.js'
import { runCli } from './cli.js'
import type { Fault } from './fault.js'
import type { AskClickHouse } from './rows.js'
import { Site } from './site.js'

const run = promisify(execFile)
const LARGE = { maxBuffer: 64 << 20 }

const ROWS = 23_000

/** Three batches, the first two of two chunks; each file of many blocks. */
const SETTINGS = {
  batch_avro_max_size: '11000',
  batch_ch_max_size: '11000',
  batch_bq_max_size: '11000',
  batch_avro_append_size: '500',
}

/** All of what could confuse a recovery. */
const OTHER_SETTINGS = {
  batch_avro_max_size: '4321',
  batch_ch_max_size: '6789',
  batch_bq_max_size: '5678',
  batch_avro_append_size: '100',
  avro_codec: 'deflate',
  archive_settle: '50ms',
}

/** At which pass to strike, so that it is in the second batch; two where the place within the batch matters. */
const ANY_ARCHIVE: readonly [FaultPoint, number][] = [
  ['lock.taken', 1],
  ['plan.before', 2],
  ['plan.after', 2],
  ['store.before', 2],
  ['store.chunk', 3],
  ['store.chunk', 4],
  ['store.after', 2],
  ['commit.before', 2],
  ['commit.after', 2],
]
const POINTS: Readonly<Record<ArchiverName, readonly [FaultPoint, number][]>> = {
  fileavro: [...ANY_ARCHIVE, ['file.written', 1], ['file.written', 30], ['file.synced', 2], ['file.published', 2]],
  clickhouse: [...ANY_ARCHIVE, ['clickhouse.sending', 3], ['clickhouse.sending', 4], ['clickhouse.sent', 2]],
  gcsavro: [...ANY_ARCHIVE, ['gcs.spooled', 2], ['gcs.sending', 2], ['gcs.uploaded', 2]],
  // A file is sent in two pieces.
  bigquery: [
    ...ANY_ARCHIVE,
    ['bigquery.spooled', 2],
    ['bigquery.sending', 3],
    ['bigquery.sending', 4],
    ['bigquery.sent', 2],
    ['bigquery.loaded', 2],
  ],
}

const VIA_BUCKET: [FaultPoint, number][] = [
  ['bigquery.spooled', 2],
  ['bigquery.sent', 2],
  ['bigquery.loaded', 2],
]

const kill = (point: FaultPoint, pass: number): Fault => ({ point, pass, action: 'kill' })

await describeWithMySql(
  'a crash',
  { clickhouse: sharedClickHouse, gcs: sharedFakeGcs },
  (database, { clickhouse, gcs }) => {
    let site: Site
    beforeAll(async () => {
      site = await Site.open(database, clickhouse, gcs)
      await site.fill(ROWS)
    })
    afterAll(() => site.close())

    async function expectToDieAt(fault: Fault, settings: Record<string, string>): Promise<void> {
      expect(await runCli({ ...site.env, ...settings }, fault)).toMatchObject({ code: null, signal: 'SIGKILL' })
    }

    async function expectToFinish(archiver: ArchiverName, settings = OTHER_SETTINGS): Promise<void> {
      expect(await runCli({ ...site.env, ...settings })).toMatchObject({ code: 0 })
      expect(await site.problems(archiver)).toEqual([])
    }

    describe.each(ARCHIVERS)('of %s', (archiver) => {
      beforeEach(() => site.empty([archiver]))

      test.each(POINTS[archiver])('at %s, pass %i', async (point, pass) => {
        await expectToDieAt(kill(point, pass), SETTINGS)
        await expectToFinish(archiver)
      })

      test.each<[FaultPoint, FaultPoint, number]>([
        ['store.chunk', 'recover.before', 1],
        ['store.chunk', 'recover.after', 1],
        ['store.after', 'recover.before', 1],
        ['store.after', 'recover.after', 1],
        ['store.after', 'store.chunk', 1],
        ['store.after', 'commit.before', 1],
        ['plan.after', 'store.after', 1],
        ['plan.after', 'commit.before', 1],
      ])('at %s, and of the recovery at %s', async (first, second, pass) => {
        await expectToDieAt(kill(first, first === 'store.chunk' ? 4 : 2), SETTINGS)
        await expectToDieAt(kill(second, pass), OTHER_SETTINGS)
        await expectToFinish(archiver)
      })
    })

    const viaBucket = { bq_via_gcs: 'true' }
    test.each<[FaultPoint, number]>(VIA_BUCKET)(
      'of bigquery at %s, pass %i, when files go through a bucket: none stays there',
      async (point, pass) => {
        await site.empty(['bigquery'])
        await expectToDieAt(kill(point, pass), { ...SETTINGS, ...viaBucket })
        await expectToFinish('bigquery', { ...OTHER_SETTINGS, ...viaBucket })
      },
    )
  },
)

await describeWithMySql(
  'a crash with ClickHouse inside the process',
  { clickhouse: sharedClickHouse },
  (database, { clickhouse }) => {
    let site: Site
    let folder: string
    beforeAll(async () => {
      site = await Site.open(database, clickhouse)
      await site.fill(ROWS, ['clickhouse'])
    })
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'archiver-chdb-'))
      await site.empty(['clickhouse'])
    })
    afterAll(() => site.close())

    test.each<[FaultPoint, number]>([
      ['clickhouse.sending', 3],
      ['clickhouse.sent', 2],
      ['commit.before', 2],
    ])('at %s, pass %i', async (point, pass) => {
      const env = { ...site.env, ch_dsn: `chdb://${folder}` }
      expect(await runCli({ ...env, ...SETTINGS }, kill(point, pass))).toMatchObject({ signal: 'SIGKILL' })
      expect(await runCli({ ...env, ...OTHER_SETTINGS })).toMatchObject({ code: 0 })
      const reader = fileURLToPath(new URL('../dist/read-embedded.js', import.meta.url))
      const ask: AskClickHouse = async (sql) => (await run(process.execPath, [reader, folder, sql], LARGE)).stdout
      expect(await site.problems('clickhouse', ask)).toEqual([])
      await rm(folder, { recursive: true })
    })
  },
)
