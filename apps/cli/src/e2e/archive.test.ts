import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { archivedRow } from '@archiver/avro'
import { rowsFromChunk } from '@archiver/core'
import { MySqlLock, MySqlSource } from '@archiver/mysql'
import { createSourceTables, generateRows, insertRows } from '@archiver/testkit'
import { describeWithMySql, sharedClickHouse } from '@archiver/testkit/vitest'
import type { Connection } from 'mysql2/promise'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { loadedSources } from './loaded-sources.js'
import { Workplace } from './workplace.js'

const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1)

await describeWithMySql('archiver archive', { clickhouse: sharedClickHouse }, (database) => {
  let place: Workplace
  beforeAll(async () => {
    place = await Workplace.open(database)
  })
  beforeEach(() => place.reset(1_000))
  afterAll(() => place.close())

  test('stores every row in every archive, and marks it', async () => {
    const run = await place.run('archive')
    expect(run).toMatchObject({ code: 0, stdout: '' })
    expect(await place.marks()).toEqual({ fileavro: 1000, clickhouse: 1000 })
    expect(await place.clickhouseIds()).toEqual(upTo(1_000))
    await using source = new MySqlSource({ settings: database.address, table: 'log_scores' })
    const rows = []
    for await (const chunk of source.read({ afterId: 0n, upToId: 1000n })) rows.push(...rowsFromChunk(chunk))
    expect(await place.fileRows()).toEqual(rows.map(archivedRow))
    expect(run.events.at(-1)).toMatchObject({ event: 'pass.done', rows: 2_000, failed: [] })
  })

  test('a second run has nothing to do; later rows are stored by the next', async () => {
    await place.run('archive')
    const idle = await place.run('archive')
    expect(idle.events.map(({ event }) => event)).toEqual(['archiver.skipped', 'archiver.skipped', 'pass.done'])
    await insertRows(place.connection, 'log_scores', generateRows({ rows: 500, firstId: 1_001n }))
    await place.run('archive')
    expect(await place.clickhouseIds()).toEqual(upTo(1_500))
    expect((await place.fileRows()).map(({ id }) => Number(id))).toEqual(upTo(1_500))
  })

  test('batches hold what the settings allow', async () => {
    place.env.batch_avro_max_size = '300'
    place.env.batch_avro_min_size = '200'
    await place.run('archive', '--only', 'fileavro')
    expect(await readdir(place.folder)).toHaveLength(3)
    expect(await place.marks()).toEqual({ fileavro: 900, clickhouse: null })
  })

  test('the interval since the last batch is waited out', async () => {
    place.env.batch_avro_interval = '24h'
    const run = await place.run('archive', '--only', 'fileavro')
    expect(run.events[0]).toMatchObject({
      event: 'archiver.skipped',
      msg: expect.stringMatching(/next due in 8\d{4} s/),
    })
  })

  test('another table goes into a folder and an archive table of its own', async () => {
    await createSourceTables(place.connection, { table: 'log_scores_test', archivers: ['fileavro', 'clickhouse'] })
    await insertRows(place.connection, 'log_scores_test', generateRows({ rows: 40 }))
    expect(await place.run('archive', '-t', 'log_scores_test')).toMatchObject({ code: 0 })
    expect(await place.marks('log_scores_test')).toEqual({ fileavro: 40, clickhouse: 40 })
    expect(await place.fileRows(join(place.folder, 'log_scores_test'))).toHaveLength(40)
    expect(await place.clickhouseIds('log_scores_test')).toEqual(upTo(40))
    expect(await place.marks()).toEqual({ fileavro: null, clickhouse: null })
  })

  test('--dry-run says what would be stored and touches nothing', async () => {
    const run = await place.run('archive', '--dry-run')
    expect(run.code).toBe(0)
    expect(run.stdout).toContain('fileavro: would store, the first batch from id 1 to 1000 at most; 1,000 rows wait')
    expect(await readdir(place.folder)).toEqual([])
    expect(await place.clickhouse.query("show tables like 'log_scores'")).toBe('')
    const [tables] = await place.connection.query("show tables like 'log_scores_archive_batch'")
    expect(tables).toEqual([])
  })

  test('exit 3 while another holds the lock, and says who', async () => {
    const name = `archiver-${database.name}`
    await using _ = await MySqlLock.take({ settings: database.address, name, timeoutMs: 0 })
    const run = await place.run('archive')
    expect(run.code).toBe(3)
    expect(run.stderr).toMatch(/the lock archiver-\w+ is held by connection \d+, user \w+, host/)
    expect(await place.marks()).toEqual({ fileavro: null, clickhouse: null })
  })

  const table = `scores_${database.name}`
  describe.each([
    ['release 1.3.7', () => `archiver-${database.name}`],
    ['between that release and the development head', () => `go-${database.name}`],
    // A table of this test alone: other tests of the same server have log_scores in their databases.
    ['development head', () => `archiver-${table}`],
  ])('a Go program of %s that works', (_, nameOf) => {
    let go: Connection
    beforeEach(async () => {
      Object.assign(place.env, { db_lock_prefix: 'go-', app_default_table: table, app_valid_tables: table })
      go = await database.connect()
      await go.query('select get_lock(?, 60)', [nameOf()])
    })
    afterEach(() => go.end())

    test('keeps this one out, which names the lock', async () => {
      const run = await place.run('archive')
      expect(run.code).toBe(3)
      expect(run.stderr).toContain(`the lock ${nameOf()} is held by connection ${go.threadId}, user`)
      expect(await place.marks()).toEqual({ fileavro: null, clickhouse: null })
    })
  })

  test('another table is archived beside ours, and not beside a Go program', async () => {
    await createSourceTables(place.connection, { table: 'log_scores_archive', archivers: ['fileavro'] })
    await insertRows(place.connection, 'log_scores_archive', generateRows({ rows: 40 }))
    const name = `archiver-${database.name}`
    {
      const others = [`${name}.log_scores`]
      await using _ = await MySqlLock.take({ settings: database.address, name, others, timeoutMs: 0 })
      expect(await place.run('archive')).toMatchObject({ code: 3 })
      expect(await place.run('archive', '-t', 'log_scores_archive')).toMatchObject({ code: 0 })
    }
    const go = await database.connect()
    await go.query('select get_lock(?, 60)', [name])
    const run = await place.run('archive', '-t', 'log_scores_archive')
    await go.end()
    expect(run.code).toBe(3)
    expect(run.stderr).toContain(`the lock ${name} is held by`)
  })

  test('an archiver that is not configured here is left alone', async () => {
    delete place.env.ch_dsn
    const run = await place.run('archive')
    expect(run.code).toBe(0)
    expect(run.stderr).toContain('clickhouse: not configured here: ch_dsn is not set')
    expect(await place.marks()).toEqual({ fileavro: 1000, clickhouse: null })
  })

  test('with nothing to do no client library is loaded that is not needed', async () => {
    await place.run('archive')
    delete place.env.avro_path
    place.env.NODE_OPTIONS = `--import=${new URL('./print-loaded.mjs', import.meta.url).href}`
    const { stderr } = await place.run('archive', '--only', 'fileavro')
    const loaded = [...stderr.matchAll(/^loaded .*\/(.+)$/gm)].map(([, file]) => file)
    expect(loaded).toEqual(expect.arrayContaining([expect.stringMatching(/^main\.js/)]))
    expect(loaded.filter((file) => /chdb|snappy|avsc|clickhouse|google/.test(file ?? ''))).toEqual([])
  })

  test('where ClickHouse is configured, its client is loaded only once there is something to store', async () => {
    place.env.NODE_OPTIONS = ''
    const storing = await loadedSources(place, 'archive')
    expect(storing.some((file) => /@clickhouse\/client/.test(file))).toBe(true)
    const idle = await loadedSources(place, 'archive')
    expect(idle.some((file) => /packages\/clickhouse\/dist\/archiver/.test(file))).toBe(true)
    expect(idle.filter((file) => /@clickhouse\/client/.test(file))).toEqual([])
  })
})
