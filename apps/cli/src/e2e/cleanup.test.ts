import { mkdir } from 'node:fs/promises'
import { describeWithMySql, sharedClickHouse } from '@archiver/testkit/vitest'
import type { RowDataPacket } from 'mysql2/promise'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Workplace } from './workplace.js'

await describeWithMySql('cleanup', { clickhouse: sharedClickHouse }, (database) => {
  let place: Workplace
  beforeAll(async () => {
    place = await Workplace.open(database)
  })
  beforeEach(async () => {
    await place.reset(1_000, ['fileavro', 'clickhouse', 'cleanup'])
    Object.assign(place.env, { cleanup_default_interval: '0s', cleanup_reduced_interval: '0s', cleanup_max_lag: '0' })
    // The first 600 rows are old.
    await place.connection.query(
      'update log_scores set ts = utc_timestamp() - interval 40 day + interval id second where id <= 600',
    )
    await place.connection.query(
      'update log_scores set ts = utc_timestamp() - interval 1 day + interval id second where id > 600',
    )
  })
  afterAll(() => place.close())

  async function idsLeft(): Promise<[number, number, number]> {
    const sql = 'select min(id) as low, max(id) as high, count(*) as total from log_scores'
    const [[row]] = await place.connection.query<RowDataPacket[]>(sql)
    return [Number(row?.low), Number(row?.high), Number(row?.total)]
  }

  test('deletes what is old once everything is archived, in the same pass', async () => {
    const run = await place.run('archive')
    expect(run).toMatchObject({ code: 0 })
    expect(await idsLeft()).toEqual([601, 1000, 400])
    expect(run.events.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['cleanup.verified', 'cleanup.deleted']),
    )
    expect(await place.marks()).toMatchObject({ cleanup: null, fileavro: 1000, clickhouse: 1000 })
    expect(await place.run('verify')).toMatchObject({ code: 0 })
  })

  test('a mark that is none blocks it, named, with the ways out; the archivers are done all the same', async () => {
    await place.connection.query("insert into log_scores_archive_status (archiver) values ('bigquery')")
    const run = await place.run('archive')
    expect(run.code).toBe(1)
    expect(run.events.at(-1)).toMatchObject({ event: 'pass.done', failed: ['cleanup'] })
    expect(run.stderr).toMatch(/bigquery: turned on in log_scores_archive_status, and nothing stored yet/)
    expect(run.stderr).toContain('delete from `log_scores_archive_status`')
    expect(await idsLeft()).toEqual([1, 1000, 1000])
    expect(await place.clickhouseIds()).toHaveLength(1_000)
  })

  test('a row that an archive has lost is stored there again before it is deleted', async () => {
    await place.run('archive', '--only', 'fileavro', '--only', 'clickhouse')
    await place.clickhouse.query('alter table log_scores delete where id = 300')
    await expect.poll(() => place.clickhouseIds()).toHaveLength(999)
    expect(await place.run('archive')).toMatchObject({ code: 0 })
    expect(await place.clickhouseIds()).toHaveLength(1_000)
    expect(await idsLeft()).toEqual([601, 1000, 400])
  })

  test('a file that was moved away stops it, unless that is said to be right', async () => {
    await place.run('archive', '--only', 'fileavro', '--only', 'clickhouse')
    const empty = `${place.folder}/empty`
    await mkdir(empty)
    place.env.avro_path = empty
    expect(await place.run('archive', '--only', 'cleanup')).toMatchObject({ code: 1 })
    expect(await idsLeft()).toEqual([1, 1000, 1000])
    place.env.avro_moved = 'ok'
    expect(await place.run('archive', '--only', 'cleanup')).toMatchObject({ code: 0 })
    expect(await idsLeft()).toEqual([601, 1000, 400])
  })

  test('--only without it leaves it alone', async () => {
    expect(await place.run('archive', '--only', 'fileavro', '--only', 'clickhouse')).toMatchObject({ code: 0 })
    expect(await idsLeft()).toEqual([1, 1000, 1000])
  })
})
