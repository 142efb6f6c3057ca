import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '@archiver/testkit'
import { describeWithMySql, sharedClickHouse } from '@archiver/testkit/vitest'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { runCli } from './run-cli.js'
import { Workplace } from './workplace.js'

await describeWithMySql('bad input', { clickhouse: sharedClickHouse }, (database) => {
  let place: Workplace
  beforeAll(async () => {
    place = await Workplace.open(database)
  })
  beforeEach(() => place.reset(100))
  afterAll(() => place.close())

  /** One archiver failed with these words; the other stored everything. */
  async function expectOnlyToFail(archiver: 'fileavro' | 'clickhouse', words: string | RegExp) {
    const run = await place.run('archive')
    expect(run.code).toBe(1)
    expect(run.events.at(-1)).toMatchObject({ event: 'pass.done', failed: [archiver] })
    const failure = run.events.find(({ event }) => event === 'archiver.failed')
    expect(failure?.msg).toMatch(words)
    const other = archiver === 'fileavro' ? 'clickhouse' : 'fileavro'
    expect(await place.marks()).toEqual({ [archiver]: null, [other]: 100 })
    return run
  }

  test.each([
    ['an unknown table', ['archive', '-t', 'log_score'], '--table: "log_score" is not one of'],
    ['an unsafe table', ['archive', '-t', 'log_scores; drop table x'], '--table:'],
    ['an unknown command', ['archiv'], 'there is no command "archiv"; did you mean archive?'],
    ['a command like no other', ['frobnicate'], 'there is no command "frobnicate"\n'],
    ['no command', [], 'Name a command.'],
    ['an unknown option', ['archive', '--dryrun'], 'Unknown argument: dryrun'],
    ['an unknown archiver', ['archive', '--only', 'clickhose'], '--only: there is no archiver clickhose; known are'],
    ['a missing env file', ['archive', '--config', '/nowhere.env'], '/nowhere.env'],
  ])('%s is exit 2', async (_, args, words) => {
    const run = await place.run(...args)
    expect(run.code).toBe(2)
    expect(run.stderr).toContain(words)
    expect(await place.marks()).toEqual({ fileavro: null, clickhouse: null })
  })

  test('all that is wrong in the settings is said at once, without secrets', async () => {
    const run = await runCli(['archive'], {
      db_pass: 'tops3cret',
      db_timeout: '10 parsecs',
      ch_dsn: 'ftp://u:tops3cret@h',
    })
    expect(run.code).toBe(2)
    for (const name of ['db_host', 'db_database', 'db_user', 'db_timeout', 'ch_dsn']) expect(run.stderr).toContain(name)
    expect(run.stderr).not.toContain('tops3cret')
  })

  test.each([
    ['a wrong password', { db_pass: 'wr0ng' }, 'MYSQL_ACCESS_DENIED'],
    ['an unknown host', { db_host: 'no-such-host.invalid' }, 'MYSQL_UNKNOWN_HOST'],
    ['an unknown database', { db_database: 'not_there' }, 'MYSQL_NO_DATABASE'],
  ])('%s is exit 1', async (_, wrong, code) => {
    Object.assign(place.env, wrong)
    const run = await place.run('archive')
    expect(run.code).toBe(1)
    expect(run.events).toMatchObject([{ event: 'command.failed', error: { code } }])
    expect(run.stderr).not.toContain('wr0ng')
  })

  test('no status table: the SQL to run', async () => {
    await place.connection.query('drop table log_scores_archive_status')
    const run = await place.run('archive')
    expect(run.code).toBe(1)
    expect(run.stderr).toContain('there is no table log_scores_archive_status')
    expect(run.stderr).toContain('create table if not exists `log_scores_archive_status`')
  })

  test('an id that no row has is no mark: the words are ours', async () => {
    const run = await place.run('mark', 'clickhouse', '--set', '99999999', '--reason', 'test', '--yes')
    expect(run.code).toBe(1)
    expect(run.stderr).toContain('the mark of clickhouse cannot be set to 99999999: log_scores has no row with this id')
    expect(run.stderr).not.toMatch(/foreign key|CONSTRAINT/i)
    expect(await place.marks()).toEqual({ fileavro: null, clickhouse: null })
  })

  test('an account that may not see our missing tables is told to run init', async () => {
    await place.connection.query('drop table log_scores_archive_status')
    await place.connection.query("create user if not exists tableonly@'%' identified by 'x'")
    await place.connection.query("grant select, delete on log_scores to tableonly@'%'")
    try {
      const run = await runCli(['archive'], { ...place.env, db_user: 'tableonly', db_pass: 'x' })
      expect(run.events).toMatchObject([
        { error: { code: 'MYSQL_ACCESS_DENIED', hint: expect.stringContaining('archiver init') } },
      ])
    } finally {
      await place.connection.query("drop user tableonly@'%'")
    }
  })

  test.each([
    ['nosuch', 'the status table has a row for an unknown archiver'],
    ['influxdb', 'support for InfluxDB was removed'],
  ])('a row for %s is named and the others go on', async (name, words) => {
    await place.connection.query('insert into log_scores_archive_status (archiver) values (?)', [name])
    const run = await place.run('archive')
    expect(run.code).toBe(1)
    expect(run.events).toContainEqual(
      expect.objectContaining({ event: 'archiver.failed', archiver: name, msg: expect.stringContaining(words) }),
    )
    expect(await place.marks()).toEqual({ fileavro: 100, clickhouse: 100, [name]: null })
  })

  test('a missing avro_path', async () => {
    place.env.avro_path = '/nowhere/avro'
    await expectOnlyToFail('fileavro', /avro_path.*\/nowhere\/avro|\/nowhere\/avro.*avro_path/)
  })

  test('a missing avro_path is told even when there is nothing to store', async () => {
    Object.assign(place.env, { avro_path: '/nowhere/avro', batch_avro_min_size: '5000' })
    await expectOnlyToFail('fileavro', /avro_path/)
  })

  test('an avro_path that is a file', async () => {
    place.env.avro_path = join(place.folder, 'file')
    await writeFile(place.env.avro_path, '')
    await expectOnlyToFail('fileavro', /avro_path/)
  })

  test('ClickHouse down', async () => {
    place.env.ch_dsn = `http://127.0.0.1:${await freePort()}/x`
    await expectOnlyToFail('clickhouse', /ch_dsn/)
  })

  test('a ClickHouse database that is not there', async () => {
    place.env.ch_dsn = place.env.ch_dsn!.replace(place.clickhouse.name, 'not_there')
    await expectOnlyToFail('clickhouse', /not_there/)
  })

  test('a ClickHouse table with a wrong column', async () => {
    await place.clickhouse.query(
      'create table log_scores (dt Date, id UInt32, monitor_id UInt32, server_id UInt32, ts DateTime, score Float32, step Float32, offset Nullable(Float64), rtt Nullable(UInt32), leap Nullable(UInt8), warning Nullable(String), error Nullable(String)) engine = MergeTree partition by dt order by (server_id, ts)',
    )
    await expectOnlyToFail('clickhouse', /column id.*UInt32.*UInt64|UInt64.*UInt32/)
  })

  test('a row that cannot be stored is named; the rows before it are archived', async () => {
    await place.connection.query('update log_scores set score = 1e300 where id = 60')
    const run = await place.run('archive')
    expect(run.code).toBe(1)
    expect(run.events.find(({ event }) => event === 'archiver.failed')?.msg).toMatch(/row 60, column score/)
    expect(await place.marks()).toEqual({ fileavro: 59, clickhouse: 59 })
    expect(await place.fileRows()).toHaveLength(59)
    expect(await place.clickhouseIds()).toHaveLength(59)
  })
})
