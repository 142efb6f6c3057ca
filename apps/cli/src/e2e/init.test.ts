import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type FakeBigQuery, spawnFakeBigQuery } from '@archiver/fake-bigquery'
import { describeWithMySql, sharedClickHouse } from '@archiver/testkit/vitest'
import type { RowDataPacket } from 'mysql2/promise'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { Workplace } from './workplace.js'

const ours = ['log_scores_archive_batch', 'log_scores_archive_skip', 'log_scores_archive_status']

await describeWithMySql('archiver init', { clickhouse: sharedClickHouse }, (database) => {
  let place: Workplace
  beforeAll(async () => {
    place = await Workplace.open(database)
  })
  beforeEach(async () => {
    await place.reset(100, [])
    await place.connection.query('drop table log_scores_archive_status')
    place.env.archive_settle = '0s'
  })
  afterAll(() => place.close())

  const names = async (statement: string) =>
    (await place.connection.query<RowDataPacket[]>(statement))[0].map((row) => Object.values(row)[0] as string)
  const state = async () => ({
    tables: (await names('show tables')).filter((name) => name !== 'log_scores'),
    on: (await names('show tables')).includes('log_scores_archive_status') ? Object.keys(await place.marks()) : [],
    clickhouse: (await place.clickhouse.query('show tables')).split('\n').filter(Boolean),
  })
  const untouched = { tables: [], on: [], clickhouse: [] }

  test('--dry-run prints every statement, and changes nothing', async () => {
    const run = await place.run('init', '--dry-run')
    expect(run).toMatchObject({ code: 0, stderr: '' })
    for (const name of ours) expect(run.stdout).toContain(`create table if not exists \`${name}\` (`)
    expect(run.stdout).toContain("insert into `log_scores_archive_status` (archiver) values ('fileavro');")
    expect(run.stdout).toContain(`CREATE TABLE IF NOT EXISTS \`${place.clickhouse.name}\`.\`log_scores\``)
    expect(run.stdout).toContain(`SELECT ON \`${place.clickhouse.name}\`.\`log_scores\` (without it: nothing works)`)
    expect(run.stdout).toMatch(/SELECT ON system\.parts \(without it: .+\)/)
    expect(run.stdout).not.toContain('cleanup')
    expect(run.stdout).toContain('and has it all')
    expect(await state()).toEqual(untouched)
  })

  test('what it prints is all that is needed', async () => {
    const { stdout } = await place.run('init', '--dry-run')
    const statements = stdout.match(/^(create table|insert).*?(?=;$)/gms) ?? []
    expect(statements).toHaveLength(5)
    for (const statement of statements) await place.connection.query(statement)
    await place.clickhouse.query(/^CREATE TABLE.*(?=;$)/m.exec(stdout)![0])
    expect((await place.run('init', '--yes')).stdout).toContain('There is nothing to run.')
    expect(await place.run('archive')).toMatchObject({ code: 0 })
  })

  test('of a table that no foreign key can refer to, it says so before it asks, and makes the tables without the key', async () => {
    await place.connection.query('alter table log_scores partition by hash (id) partitions 4')
    const { stdout } = await place.run('init', '--dry-run')
    expect(stdout).toContain('log_scores_archive_status: log_scores is partitioned, so no foreign key can refer to it')
    expect(stdout).not.toContain('foreign key (')
    expect(await place.run('init', '--yes')).toMatchObject({ code: 0, stderr: '' })
    expect(await place.run('archive')).toMatchObject({ code: 0 })
  })

  test('asks first: without anybody there nothing is done', async () => {
    const run = await place.run('init')
    expect(run).toMatchObject({ code: 2, stderr: expect.stringContaining('add --yes') })
    expect(run.stdout).toContain('create table')
    expect(await state()).toEqual(untouched)
  })

  test('makes everything; the second time there is nothing to do, and says what is there', async () => {
    expect(await place.run('init', '--yes')).toMatchObject({ code: 0, stderr: '' })
    const made = { tables: ours, on: ['fileavro', 'clickhouse'], clickhouse: ['log_scores'] }
    expect(await state()).toEqual(made)
    const again = await place.run('init')
    expect(again).toMatchObject({ code: 0, stderr: '' })
    expect(again.stdout).toContain('There is nothing to run.')
    for (const what of ['log_scores_archive_skip: is there', 'clickhouse: is on', 'clickhouse: its table is there']) {
      expect(again.stdout).toContain(what)
    }
    expect(await state()).toEqual(made)
    expect(await place.run('archive')).toMatchObject({ code: 0 })
    expect(await place.marks()).toEqual({ fileavro: 100, clickhouse: 100 })
  })

  test('adds what is named, and leaves alone what is there', async () => {
    await place.run('init', '--yes', '--with', 'fileavro')
    expect(await state()).toEqual({ tables: ours, on: ['fileavro'], clickhouse: [] })
    await place.run('archive')
    const run = await place.run('init', '--yes', '--with', 'cleanup', '--with', 'clickhouse', '--with', 'fileavro')
    expect(run).toMatchObject({ code: 0 })
    expect(run.stdout).toContain('cleanup: DELETE on log_scores')
    expect(await place.marks()).toEqual({ fileavro: 100, cleanup: null, clickhouse: null })
  })

  test('another table has tables of its own', async () => {
    await place.connection.query('create table log_scores_test like log_scores')
    onTestFinished(async () => {
      for (const suffix of ['_archive_status', '_archive_batch', '_archive_skip', '']) {
        await place.connection.query(`drop table log_scores_test${suffix}`)
      }
      await place.clickhouse.query('drop table log_scores_test')
    })
    expect(await place.run('init', '--yes', '-t', 'log_scores_test')).toMatchObject({ code: 0 })
    expect(await place.marks('log_scores_test')).toEqual({ fileavro: null, clickhouse: null })
    expect(await place.run('archive', '-t', 'log_scores_test')).toMatchObject({ code: 0 })
  })

  test('an archiver that is not configured here can be turned on, and is said to be so', async () => {
    delete place.env.ch_dsn
    const run = await place.run('init', '--yes', '--with', 'clickhouse')
    expect(run).toMatchObject({ code: 0 })
    expect(run.stdout).toContain('clickhouse: not configured here: ch_dsn is not set')
    expect(await state()).toEqual({ tables: ours, on: ['clickhouse'], clickhouse: [] })
  })

  describe('refuses', () => {
    test.each([
      ['a name that is none', ['--with', 'clickhose'], /--with: there is no archiver clickhose/],
      ['a table that may not be archived', ['-t', 'scores; drop table x'], /is not one of log_scores/],
    ])('%s', async (_, args, words) => {
      const run = await place.run('init', '--yes', ...args)
      expect(run).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(words) })
      expect(await state()).toEqual(untouched)
    })

    test('a table whose name is not safe, though it is configured', async () => {
      place.env.app_valid_tables = 'log_scores,scores`; drop table x'
      const run = await place.run('init', '--yes', '-t', 'scores`; drop table x')
      expect(run).toMatchObject({ code: 2, stderr: expect.stringContaining('letters, digits and underscores') })
    })

    test('a source table that is not there', async () => {
      const run = await place.run('init', '--yes', '-t', 'log_scores_archive')
      expect(run).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no table log_scores_archive') })
    })

    test.each([
      [
        'archiver',
        'log_score_id bigint unsigned not null',
        'log_score_id is bigint unsigned not null, bigint unsigned',
      ],
      ['archiver', 'position bigint unsigned null', 'there is no column log_score_id'],
      ['name', 'log_score_id bigint unsigned null', 'there is no column archiver'],
    ])('a status table of another form: %s, %s', async (name, mark, words) => {
      await place.connection.query(`create table log_scores_archive_status (id int unsigned auto_increment primary key,
        ${name} varchar(255) not null unique, ${mark}, modified_on timestamp not null default current_timestamp)`)
      const run = await place.run('init', '--yes')
      expect(run.code).toBe(1)
      expect(run.stdout).toContain('log_scores_archive_status: has another form: ')
      expect(run.stdout).toContain(words)
      expect(run.stdout).toContain('nothing was run')
      expect(await names('show tables')).toEqual(['log_scores', 'log_scores_archive_status'])
      expect(await names('select id from log_scores_archive_status')).toEqual([])
    })

    test('an archive that cannot be made ready; the others can be named', async () => {
      await place.clickhouse.query('create table log_scores (id UInt32) engine = MergeTree order by id')
      const run = await place.run('init', '--yes')
      expect(run).toMatchObject({ code: 1, stdout: expect.stringMatching(/clickhouse: .* the column dt is missing/) })
      expect(await state()).toMatchObject({ tables: [], on: [] })
      expect(await place.run('init', '--yes', '--with', 'fileavro')).toMatchObject({ code: 0 })
    })

    test('a folder that is not there', async () => {
      place.env.avro_path = '/nowhere/avro'
      const run = await place.run('init', '--yes', '--with', 'fileavro')
      expect(run).toMatchObject({ code: 1, stdout: expect.stringContaining('/nowhere/avro') })
      expect(await state()).toEqual(untouched)
    })

    test('to work while another archiver does', async () => {
      await place.connection.query('select get_lock(?, 0)', [`archiver-${database.name}`])
      const run = await place.run('init', '--yes')
      await place.connection.query('select release_lock(?)', [`archiver-${database.name}`])
      expect(run).toMatchObject({ code: 3, stderr: expect.stringContaining('is held by') })
      expect(await state()).toEqual(untouched)
    })
  })

  describe('an account of few rights', () => {
    const user = `of_${database.name}`
    const grant = (statement: string) => place.connection.query(statement)
    const printedGrants = (stdout: string) => stdout.match(/^grant [^;]*/gm) ?? []
    beforeEach(async () => {
      await grant(`create user '${user}'@'%' identified by 'pw'`)
      onTestFinished(async () => void (await grant(`drop user '${user}'@'%'`)))
      await grant(`grant select on log_scores to '${user}'@'%'`)
      Object.assign(place.env, { db_user: user, db_pass: 'pw', cleanup_default_interval: '0s', cleanup_max_lag: '0' })
    })

    test('is told what it lacks, and nothing is run; what it is told to ask for is all it needs', async () => {
      const all = ['--with', 'fileavro', '--with', 'clickhouse', '--with', 'cleanup']
      await place.connection.query('update log_scores set ts = utc_timestamp() - interval 40 day')
      let run = await place.run('init', '--yes', ...all)
      expect(run.code).toBe(1)
      expect(run.stdout).toMatch(/log_scores_archive_status: (may not be looked at|is missing)/)
      expect(run.stdout).toContain(`grant delete on \`${database.name}\`.\`log_scores\` to '${user}'@'%';`)
      expect(run.stdout).toMatch(/grant .*create.* on .*`log_scores_archive_batch`/)
      expect(run.stdout).toContain('nothing was run')
      expect(await state()).toEqual(untouched)
      // MySQL tells only of the table's own rights before it looks at those of the table it refers to.
      for (let round = 0; round < 2 && run.code === 1; round++) {
        for (const statement of printedGrants(run.stdout)) await grant(statement)
        run = await place.run('init', '--yes', ...all)
      }
      expect(run).toMatchObject({ code: 0, stderr: '' })
      expect(printedGrants(run.stdout)).toEqual([])
      expect(await place.run('archive')).toMatchObject({ code: 0 })
      expect(await names('select id from log_scores')).toEqual([100])
      expect(await place.run('verify')).toMatchObject({ code: 0 })
      await place.connection.query('insert into log_scores (server_id, ts) values (1, utc_timestamp())')
      expect(await place.run('skip', 'fileavro', '101', '--reason', 'test')).toMatchObject({ code: 0 })
      const moved = await place.run('mark', 'fileavro', '--set', 'none', '--reason', 'test', '--yes')
      expect(moved).toMatchObject({ code: 0 })
    })

    test('may look with --dry-run; an account that may do more makes it, and the grants are still named', async () => {
      const { stdout } = await place.run('init', '--dry-run')
      expect(stdout).toContain('create table if not exists `log_scores_archive_status`')
      await grant(`grant select, insert, create, references on \`${database.name}\`.* to '${user}'@'%'`)
      const run = await place.run('init', '--yes')
      expect(run.code).toBe(1)
      expect(printedGrants(run.stdout).map((line) => line.replace(/ on .*`(\w+)` to .*/, ' on $1'))).toEqual([
        'grant update on log_scores_archive_status',
        'grant update, delete on log_scores_archive_batch',
      ])
      expect(run.stdout).toContain('Done. The grants above are still missing.')
      expect(await state()).toMatchObject({ tables: ours, on: ['fileavro', 'clickhouse'] })
    })

    test('is told which replicas the cleaner would not see', async () => {
      Object.assign(place.env, { cleanup_max_lag: '1m' })
      const run = await place.run('init', '--dry-run', '--with', 'cleanup')
      expect(run.stdout).toMatch(/cleanup: replicas cannot be looked for: .*REPLICATION/)
      place.env.cleanup_replicas = '127.0.0.1:1'
      const named = await place.run('init', '--dry-run', '--with', 'cleanup')
      expect(named.stdout).toMatch(/cleanup: replica 127\.0\.0\.1:1: .*nothing listens there/)
    })
  })

  test('the embedded ClickHouse: nothing is left of a dry run, not even a folder', async () => {
    const folder = join(place.folder, 'embedded')
    place.env.ch_dsn = `chdb://${folder}?database=ntp`
    const preview = await place.run('init', '--dry-run', '--with', 'clickhouse')
    expect(preview).toMatchObject({ code: 0, stderr: '' })
    expect(preview.stdout).toContain(
      'CREATE DATABASE IF NOT EXISTS `ntp`;\nCREATE TABLE IF NOT EXISTS `ntp`.`log_scores`',
    )
    expect(existsSync(folder)).toBe(false)
    expect(await place.run('init', '--yes', '--with', 'clickhouse')).toMatchObject({ code: 0 })
    const again = await place.run('init', '--dry-run', '--with', 'clickhouse')
    expect(again.stdout).toContain('There is nothing to run.')
  })

  describe('BigQuery', () => {
    let bigQuery: FakeBigQuery
    beforeAll(async () => {
      bigQuery = await spawnFakeBigQuery({ projectId: 'ntppool' })
      await bigQuery.createDataset({ id: 'scores', location: 'EU' })
    })
    afterAll(() => bigQuery.close())

    test('its table is shown, then made', async () => {
      Object.assign(place.env, { bq_dataset: 'scores', BIGQUERY_EMULATOR_HOST: bigQuery.url })
      const run = await place.run('init', '--dry-run')
      expect(run.stdout).toContain('For bigquery:\nCREATE TABLE `ntppool.scores.log_scores` (')
      expect(await place.run('init', '--yes')).toMatchObject({ code: 0, stderr: '' })
      expect((await place.run('init')).stdout).toContain('bigquery: its table is there')
      expect(Object.keys(await place.marks())).toEqual(['fileavro', 'clickhouse', 'bigquery'])
    })
  })
})
