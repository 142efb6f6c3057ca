import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { LogScore } from '@archiver/core'
import { type FakeBigQuery, spawnFakeBigQuery } from '@archiver/fake-bigquery'
import { createGcsBucket, type GcsBucket, within } from '@archiver/testkit'
import { describeWithMySql, sharedClickHouse, sharedFakeGcs } from '@archiver/testkit/vitest'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { countOf, dice, fillWithOldRows, roundedByAvro, roundedByClickHouse, tableRows } from './restore-bench.js'
import { launcher } from './run-cli.js'
import { Workplace } from './workplace.js'

const ROWS = 40_000
const KILLS = 3
const KILL_LIMIT_MS = 120_000

type Form = (row: LogScore) => LogScore
const asItWas: Form = (row) => row

const archives: readonly (readonly [archive: string, schema: string, form: Form])[] = [
  ['fileavro', '1', roundedByAvro],
  ['fileavro', '2', asItWas],
  ['gcsavro', '1', roundedByAvro],
  ['gcsavro', '2', asItWas],
  ['bigquery', '1', roundedByAvro],
  ['bigquery', '2', asItWas],
  ['clickhouse', '2', roundedByClickHouse],
]

await describeWithMySql(
  'archived, deleted, brought back',
  { clickhouse: sharedClickHouse, gcs: sharedFakeGcs },
  (database, { gcs }) => {
    let place: Workplace
    let bucket: GcsBucket
    let bigQuery: FakeBigQuery
    let datasets = 0
    let cutShort = 0
    beforeAll(async () => {
      place = await Workplace.open(database)
      bigQuery = await spawnFakeBigQuery({ projectId: 'ntppool', storageUrl: gcs.url })
    })
    afterAll(async () => {
      await bigQuery.close()
      await place.close()
    })

    /** An empty table and empty archives, of which one is turned on. */
    async function prepare(archive: string, schema: string): Promise<void> {
      const dataset = `restore_${++datasets}`
      bucket = await createGcsBucket(gcs)
      await bigQuery.createDataset({ id: dataset, location: 'EU' })
      await place.reset(0, [archive, 'cleanup'])
      Object.assign(place.env, {
        avro_schema: schema,
        batch_avro_max_size: '17000',
        batch_bq_max_size: '17000',
        batch_bq_min_size: '1',
        batch_bq_interval: '0s',
        gc_bucket: bucket.name,
        STORAGE_EMULATOR_HOST: bucket.server.url,
        bq_dataset: dataset,
        BIGQUERY_EMULATOR_HOST: bigQuery.url,
        archive_settle: '0s',
        cleanup_default_interval: '0s',
        cleanup_max_lag: '0',
        cleanup_pause: '0s',
        cleanup_verify: 'rows',
        // Some rows have keys in `attributes` that no archive keeps.
        unarchived: 'ok',
      })
      await fillWithOldRows(place.connection, ROWS)
    }

    /** Runs a restore that is killed once the table has so many rows, and so many milliseconds after. */
    async function killed(args: readonly string[], rows: number, afterMs: number): Promise<void> {
      const child = spawn(launcher, args, { env: { PATH: process.env.PATH, ...place.env }, stdio: 'ignore' })
      const done = once(child, 'close')
      while (child.exitCode === null && (await countOf(place.connection, 'log_scores')) < rows);
      await delay(afterMs)
      child.kill('SIGKILL')
      await done
      const left = await countOf(place.connection, 'log_scores')
      if (left > 2 && left < ROWS + 2) cutShort += 1
    }

    test.each(archives)(
      `%s, avro_schema=%s: the table is what it was, after ${KILLS} kills`,
      // Each kill has its limit, the test has none.
      { timeout: 0 },
      async (archive, schema, form) => {
        await prepare(archive, schema)
        const before = await tableRows(database.address, 'log_scores')
        expect(before).toHaveLength(ROWS + 2)
        expect(await place.run('archive')).toMatchObject({ code: 0 })
        expect(await countOf(place.connection, 'log_scores')).toBe(2)

        const args = ['restore', archive, '--into', 'log_scores', '--yes', '--pause-cleanup']
        const roll = dice(datasets)
        for (let kill = 1; kill <= KILLS; kill++) {
          await within(KILL_LIMIT_MS, `kill ${kill}`, killed(args, roll(0, (ROWS * kill) / KILLS), roll(0, 40)))
        }
        const { code, stdout, stderr } = await place.run(...args)
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
        expect(stdout).toContain(`log_scores: ${(ROWS + 2).toLocaleString('en-US')} rows of ${archive}: `)
        expect(stdout).toContain(' 0 were there and are different')

        const after = await tableRows(database.address, 'log_scores')
        expect(after.length).toBe(before.length)
        const wrong = before.flatMap((row, i) =>
          isSame(form(row), form(after[i]!)) ? [] : [[form(row), form(after[i]!)]],
        )
        expect(wrong.slice(0, 3)).toEqual([])

        // Nothing is archived twice, and the cleaner leaves it alone until it is let go on.
        expect(await place.run('archive')).toMatchObject({ code: 0 })
        expect(await place.run('verify', '--deep')).toMatchObject({ code: 0 })
        expect(await countOf(place.connection, 'log_scores')).toBe(ROWS + 2)
        expect(await place.run('restore', '--resume-cleanup', '--into', 'log_scores')).toMatchObject({ code: 0 })
        expect(await place.run('archive')).toMatchObject({ code: 0 })
        expect(await countOf(place.connection, 'log_scores')).toBe(2)
      },
    )

    test('the kills struck while rows were coming back', () => {
      console.log(`${cutShort} of ${archives.length * KILLS} kills left the table half restored`)
      expect(cutShort).toBeGreaterThan(archives.length)
    })
  },
)

/** 0 and -0 are the same in SQL, and MariaDB keeps no -0. */
function isSame(a: LogScore, b: LogScore): boolean {
  const keys = Object.keys(a) as (keyof LogScore)[] // of our own rows
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key])
}
