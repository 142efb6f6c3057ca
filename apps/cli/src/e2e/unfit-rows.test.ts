import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FakeBigQuery, spawnFakeBigQuery } from '@archiver/fake-bigquery'
import { createGcsBucket, freePort, type GcsBucket } from '@archiver/testkit'
import { describeWithMySql, sharedFakeGcs } from '@archiver/testkit/vitest'
import type { RowDataPacket } from 'mysql2/promise'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { launcher } from './run-cli.js'
import { Workplace } from './workplace.js'

const ALL = ['fileavro', 'clickhouse', 'gcsavro', 'bigquery']

const KINDS: readonly (readonly [kind: string, column: string, set: string, says: string])[] = [
  ['text that is not JSON', 'attributes', "attributes = 'xx'", 'xx'],
  ['half an object', 'attributes', `attributes = '{"leap":'`, '{"leap":'],
  ['an error that is not a text', 'attributes', `attributes = '{"error":5}'`, 'error is 5'],
  ['a zero date', 'ts', "ts = '0000-00-00'", 'zero date'],
  ['a time after 2106', 'ts', "ts = '2106-02-07 06:28:16'", '2106-02-07 06:28:16'],
]

await describeWithMySql('a row that no archive can hold', (database) => {
  let place: Workplace
  let bucket: GcsBucket
  let bigQuery: FakeBigQuery
  let spool: string
  let dataset: string
  let datasets = 0
  beforeAll(async () => {
    const gcs = await sharedFakeGcs()
    place = await Workplace.open(database)
    await place.connection.query("set session sql_mode = ''")
    bigQuery = await spawnFakeBigQuery({ projectId: 'ntppool', storageUrl: gcs.url })
    spool = await mkdtemp(join(tmpdir(), 'archiver-spool-'))
  })
  afterAll(async () => {
    await bigQuery.close()
    await place.close()
    await rm(spool, { recursive: true })
  })

  async function reset(rows: number, archivers: readonly string[]) {
    await place.reset(rows, archivers)
    dataset = `scores_${++datasets}`
    bucket = await createGcsBucket(await sharedFakeGcs())
    await bigQuery.createDataset({ id: dataset, location: 'EU' })
    Object.assign(place.env, {
      gc_bucket: bucket.name,
      STORAGE_EMULATOR_HOST: bucket.server.url,
      bq_dataset: dataset,
      BIGQUERY_EMULATOR_HOST: bigQuery.url,
      batch_bq_interval: '0s',
      batch_bq_min_size: '1',
      spool_path: spool,
      quarantine_path: spool,
    })
  }
  const spoil = (set: string, ...ids: number[]) =>
    place.connection.query(`update log_scores set ${set} where id in (?)`, [ids])
  const allAt = (archivers: readonly string[], id: number | null) =>
    Object.fromEntries(archivers.map((name) => [name, id]))

  /** All archivers stop before this row, and say so. */
  async function expectStop(archivers: readonly string[], id: number, column: string, says: string, mark = id - 1) {
    const run = await place.run('archive')
    expect(run.code).toBe(1)
    expect(run.events.at(-1)).toMatchObject({ event: 'pass.done', failed: archivers })
    for (const archiver of archivers) {
      const line = run.events.find((each) => each.event === 'archiver.failed' && each.archiver === archiver)
      expect(line?.msg).toContain(`row ${id}, column ${column}`)
      expect(line?.msg).toContain(says)
      expect(line?.error).toMatchObject({ code: 'ROW_UNFIT', hint: expect.stringContaining('archiver skip') })
    }
    expect(await place.marks()).toEqual(allAt(archivers, mark || null))
  }

  async function skip(archivers: readonly string[], id: number) {
    for (const name of archivers)
      expect(await place.run('skip', name, `${id}`, '--reason', 'unfit')).toMatchObject({ code: 0 })
  }

  describe('in all archives:', () => {
    beforeEach(() => reset(100, ALL))

    test.each(KINDS)('%s', async (_, column, set, says) => {
      await spoil(set, 60)
      await expectStop(ALL, 60, column, says)
      await skip(ALL, 60)
      expect(await place.run('archive')).toMatchObject({ code: 0 })
      expect(await place.marks()).toEqual(allAt(ALL, 100))
      expect(await place.run('verify', '--deep')).toMatchObject({ code: 0 })
      expect(await bigQuery.countOf(dataset, 'log_scores')).toBe(99)
    })

    test.each([1, 2, 100])('row %i of 100', async (id) => {
      await spoil("attributes = 'xx'", id)
      await expectStop(ALL, id, 'attributes', 'xx')
      await skip(ALL, id)
      expect(await place.run('archive')).toMatchObject({ code: 0 })
      expect(await place.marks()).toEqual(allAt(ALL, id === 100 ? 99 : 100))
    })

    test('two, one after the other', async () => {
      await spoil("attributes = 'xx'", 50, 51)
      await expectStop(ALL, 50, 'attributes', 'xx')
      await skip(ALL, 50)
      await expectStop(ALL, 51, 'attributes', 'xx', 49)
      await skip(ALL, 51)
      expect(await place.run('archive')).toMatchObject({ code: 0 })
      expect(await place.marks()).toEqual(allAt(ALL, 100))
    })
  })

  test('behind 49,999 good rows', async () => {
    const archivers = ['fileavro', 'clickhouse']
    await reset(50_010, archivers)
    await spoil("attributes = 'xx'", 50_000)
    await expectStop(archivers, 50_000, 'attributes', 'xx')
    await skip(archivers, 50_000)
    expect(await place.run('archive')).toMatchObject({ code: 0 })
    expect(await place.marks()).toEqual(allAt(archivers, 50_010))
  })

  test('with ClickHouse inside the process', async () => {
    const archivers = ['clickhouse']
    await reset(100, archivers)
    place.env.ch_dsn = `chdb://${join(spool, 'chdb')}`
    await spoil("attributes = 'xx'", 60)
    await expectStop(archivers, 60, 'attributes', 'xx')
    await skip(archivers, 60)
    expect(await place.run('archive')).toMatchObject({ code: 0 })
    expect(await place.marks()).toEqual(allAt(archivers, 100))
    expect(await place.run('verify', '--deep')).toMatchObject({ code: 0 })
  })

  test('that committed late behind the mark keeps cleanup from its range until it is skipped', async () => {
    const archivers = ['fileavro', 'clickhouse']
    await reset(100, [...archivers, 'cleanup'])
    Object.assign(place.env, { cleanup_default_interval: '0s', cleanup_reduced_interval: '0s', cleanup_max_lag: '0' })
    await place.connection.query("update log_scores set ts = '2020-01-01' + interval id second")
    await place.connection.query('create table late like log_scores')
    await place.connection.query('insert into late select * from log_scores where id in (40, 41)')
    await place.connection.query('delete from log_scores where id in (40, 41)')
    expect(await place.run('archive', '--only', 'fileavro', '--only', 'clickhouse')).toMatchObject({ code: 0 })
    await place.connection.query('insert into log_scores select * from late')
    await place.connection.query('drop table late')
    await spoil("attributes = 'xx'", 41)
    const blocked = await place.run('archive', '--only', 'cleanup')
    expect(blocked.stderr + blocked.stdout).toContain('row 41, column attributes: not a JSON object: xx')
    expect((await place.fileRows()).map(({ id }) => id)).toContain(40n)
    await skip(archivers, 41)
    expect(await place.run('archive', '--only', 'cleanup')).toMatchObject({ code: 0 })
    const [left] = await place.connection.query<RowDataPacket[]>('select id from log_scores')
    expect(left).toEqual([{ id: 100 }])
  })

  test('a service says for which archiver it is unhealthy, and serves the others', async () => {
    await reset(100, ['fileavro', 'clickhouse'])
    // Beyond an Avro int; ClickHouse can hold it.
    await place.connection.query('update log_scores set server_id = 3000000000 where id = 60')
    const port = await freePort()
    const env = { PATH: process.env.PATH, ...place.env, http_listen: `127.0.0.1:${port}`, run_interval: '1s' }
    const service = spawn(launcher, ['run'], { env, stdio: 'ignore' })
    const ended = new Promise((resolve) => service.on('close', resolve))
    try {
      const ready = () =>
        fetch(`http://127.0.0.1:${port}/readyz`).then(
          (answer) => answer.text(),
          () => '',
        )
      await expect.poll(ready, { timeout: 60_000 }).toMatch(/fileavro.*row 60, column server_id: 3000000000/)
      expect(await ready()).not.toContain('clickhouse')
      await expect.poll(() => place.marks(), { timeout: 60_000 }).toEqual({ fileavro: 59, clickhouse: 100 })
    } finally {
      service.kill('SIGTERM')
      await ended
    }
  })
})
