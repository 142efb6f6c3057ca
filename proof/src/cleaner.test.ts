import type { FaultPoint } from '@archiver/core'
import { insertRows, type SourceRow } from '@archiver/testkit'
import { describeWithMySql, sharedClickHouse, sharedFakeGcs } from '@archiver/testkit/vitest'
import type { RowDataPacket } from 'mysql2/promise'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { ARCHIVERS, storedRow } from './archives.js'
import { catalogueOf } from './catalogue.js'
import { Cli, runCli } from './cli.js'
import { differences } from './compare.js'
import type { Fault } from './fault.js'
import { oddRows, sourceRows } from './rows.js'
import { Site } from './site.js'

const ROWS = 13_000
/** BigQuery's, the lowest: the rows behind it are old as well. */
const LOWEST_MARK = 12_000
const OLD_DAYS = 30
const YOUNG_DAYS = 2

const ARCHIVED = { batch_bq_max_size: '6000', batch_bq_min_size: '5000' }
const CLEANING = {
  ...ARCHIVED,
  retention_days: '14',
  cleanup_default_interval: '0s',
  cleanup_reduced_interval: '0s',
  cleanup_pause: '0s',
  cleanup_max_lag: '0',
  archive_settle: '50ms',
}
/** Of a transaction. */
const RANGE_IDS = 5_000

function isYoung(id: number): boolean {
  return id % 700 === 0 || (id > 10_500 && id < 11_900)
}

/** Ids that no row has when the others are archived; four rows each. */
const isLate = (id: number): boolean => id < 9_000 && id % 600 >= 300 && id % 600 < 304

function* rows(): Generator<SourceRow> {
  const nowSeconds = Math.floor(Date.now() / 1000)
  for (const row of oddRows({ rows: ROWS, seed: 4 })) {
    const daysOld = isYoung(Number(row.id)) ? YOUNG_DAYS : OLD_DAYS
    yield { ...row, tsSeconds: nowSeconds - daysOld * 86_400 }
  }
}

await describeWithMySql(
  'a crash of the cleaner',
  { clickhouse: sharedClickHouse, gcs: sharedFakeGcs },
  (database, { clickhouse, gcs }) => {
    let site: Site
    const env = () => ({ ...site.env, ...CLEANING })
    beforeAll(async () => {
      site = await Site.open(database, clickhouse, gcs)
      const all = [...rows()]
      await site.fill(
        all.filter(({ id }) => !isLate(Number(id))),
        ARCHIVERS,
      )
      expect(await runCli({ ...site.env, ...ARCHIVED })).toMatchObject({ code: 0 })
      await site.connection.query('update log_scores_archive_status set log_score_id = ? where archiver = ?', [
        LOWEST_MARK,
        'bigquery',
      ])
      await site.turnOn('cleanup')
      await site.connection.query('create table all_rows like log_scores')
      await site.connection.query('insert into all_rows select * from log_scores')
      late = all.filter(({ id }) => isLate(Number(id)))
    })
    beforeEach(async () => {
      await site.connection.query('insert ignore into log_scores select * from all_rows')
      await site.connection.query("delete from log_scores_archive_batch where archiver = 'cleanup'")
    })
    afterAll(() => site.close())

    /** Rows that are still to come, four at a time. */
    let late: SourceRow[]

    async function idsOf(table: string): Promise<number[]> {
      const [found] = await site.connection.query<RowDataPacket[]>(`select id from ${table} order by id`)
      return found.map(({ id }) => Number(id))
    }

    /** All that is old and below the lowest mark is gone up to this id, and nothing else is. */
    async function expectDeletedUpTo(lastId: number): Promise<void> {
      const stays = (id: number) => isYoung(id) || id >= LOWEST_MARK || id > lastId
      expect(await idsOf('log_scores')).toEqual((await idsOf('all_rows')).filter(stays))
    }

    async function expectToDieAt(fault: Fault): Promise<void> {
      expect(await runCli(env(), fault)).toMatchObject({ code: null, signal: 'SIGKILL' })
    }

    async function expectToFinish(settings = {}): Promise<void> {
      expect(await runCli({ ...env(), ...settings })).toMatchObject({ code: 0 })
      await expectDeletedUpTo(ROWS)
      expect(await site.leftovers()).toEqual([])
    }

    // Three ranges are deleted, in a transaction each.
    test.each<[FaultPoint, number, number]>([
      ['cleanup.verified', 1, 0],
      ['cleanup.before', 1, 0],
      ['cleanup.before', 3, 2],
      ['cleanup.deleted', 1, 0],
      ['cleanup.deleted', 2, 1],
      ['cleanup.deleted', 3, 2],
      ['cleanup.after', 1, 1],
      ['cleanup.after', 2, 2],
      ['cleanup.stamped', 1, 3],
    ])('at %s, pass %i: %i ranges are gone, wholly, and the next run goes on', async (point, pass, ranges) => {
      await expectToDieAt({ point, pass, action: 'kill' })
      await expectDeletedUpTo(ranges * RANGE_IDS)
      await expectToFinish()
    })

    test('again and again, in runs of other sizes that look at every column: the last one goes on', async () => {
      const env = { ...site.env, ...CLEANING, cleanup_verify: 'rows', cleanup_batch_size: '2000' }
      const points: FaultPoint[] = ['cleanup.deleted', 'cleanup.after', 'cleanup.stamped', 'cleanup.before']
      for (const point of points) {
        expect(await runCli(env, { point, pass: 1, action: 'kill' })).toMatchObject({ signal: 'SIGKILL' })
      }
      await expectToFinish({ cleanup_verify: 'rows' })
    })

    test('frozen in a transaction for longer than its lock lives: the next run finishes, it thaws and does nothing', async () => {
      const frozen = new Cli(env(), { point: 'cleanup.deleted', pass: 2, action: 'stop' })
      await frozen.untilStopped()
      await expectToFinish({ db_lock_timeout: '20s' })
      frozen.child.kill('SIGCONT')
      const { code, stderr } = await frozen.done
      expect(code).toBe(1)
      expect(stderr).toMatch(/LOCK_LOST|CONNECTION/)
      await expectDeletedUpTo(ROWS)
    })

    // Late rows are stored in each archive before anything is deleted, one archive after the other.
    test.each<[FaultPoint, number]>([
      ['plan.after', 1],
      ['store.before', 2],
      ...ARCHIVERS.flatMap((_, i): [FaultPoint, number][] => [
        ['store.after', i + 1],
        ['commit.before', i + 1],
      ]),
      ['commit.after', ARCHIVERS.length],
      ['cleanup.verified', 1],
    ])('at %s, pass %i, while late rows are stored: nothing is deleted before they are', async (point, pass) => {
      const [first, ...others] = late.splice(0, 4)
      for (const table of ['log_scores', 'all_rows']) {
        await insertRows(site.connection, table, [first!, ...others])
      }
      await expectToDieAt({ point, pass, action: 'kill' })
      await expectDeletedUpTo(0)
      await expectToFinish()
      for (const archiver of ARCHIVERS) {
        const held = await site.archived(archiver)
        expect(held.filter(({ id }) => id >= first!.id && id < first!.id + 4n)).toHaveLength(4)
      }
    })

    test.each(ARCHIVERS)(
      'after all of these %s holds every row once, and says so in its catalogue',
      async (archiver) => {
        const all = await sourceRows(site.connection, 'all_rows')
        const expected = all.filter(({ id }) => archiver !== 'bigquery' || id <= LOWEST_MARK)
        const ids = expected.map(({ id }) => id)
        const held = await site.archived(archiver)
        expect(
          differences(
            held,
            [...expected].map((row) => storedRow(archiver, row)),
          ),
        ).toEqual([])
        expect((await catalogueOf(site.connection, 'log_scores', archiver, { ids })).problems).toEqual([])
      },
    )
  },
)
