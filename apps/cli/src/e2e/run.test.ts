import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, generateRows, insertRows, LoggingProcess } from '@archiver/testkit'
import { describeWithMySql, sharedClickHouse } from '@archiver/testkit/vitest'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type CliEnv, launcher, runCli } from './run-cli.js'
import { Workplace } from './workplace.js'

const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1)

await describeWithMySql('archiver run', { clickhouse: sharedClickHouse }, (database) => {
  let place: Workplace
  let running: LoggingProcess[]
  beforeAll(async () => {
    place = await Workplace.open(database)
  })
  beforeEach(() => {
    running = []
    return place.reset(1_000)
  })
  afterEach(async () => {
    for (const cli of running) await cli.end('SIGKILL')
  })
  afterAll(() => place.close())

  function start(env: CliEnv = {}, ...args: readonly string[]): LoggingProcess {
    return startIn(undefined, { ...place.env, ...env }, ...args)
  }

  function startIn(cwd: string | undefined, env: CliEnv, ...args: readonly string[]): LoggingProcess {
    const cli = new LoggingProcess({
      command: launcher,
      args: ['run', ...args],
      env: { http_listen: 'off', run_interval: '100ms', ...env },
      ...(cwd !== undefined && { cwd }),
    })
    running.push(cli)
    return cli
  }

  const done = (cli: LoggingProcess, archiver: string, rows: number, from = 0) =>
    cli.event('archiver.done', (line) => line.archiver === archiver && line.rows === rows, from)

  test('archives what waits, then what comes, each row once; SIGTERM ends it with 0', async () => {
    const cli = start()
    await Promise.all([done(cli, 'fileavro', 1_000), done(cli, 'clickhouse', 1_000)])
    await insertRows(place.connection, 'log_scores', generateRows({ rows: 500, firstId: 1_001n }))
    await expect.poll(() => place.marks()).toEqual({ fileavro: 1500, clickhouse: 1500 })
    expect(await cli.end()).toBe(0)
    expect(cli.events.at(-1)).toMatchObject({ event: 'service.stopped' })
    expect(await place.clickhouseIds()).toEqual(upTo(1_500))
    expect((await place.fileRows()).map(({ id }) => Number(id)).sort((a, b) => a - b)).toEqual(upTo(1_500))
  })

  test('SIGHUP and archiver retry end the wait after a failure; SIGHUP says what changed', async () => {
    const http_listen = `127.0.0.1:${await freePort()}`
    const config = join(place.folder, 'settings.env')
    await writeFile(config, 'avro_path=/nowhere/avro\n')
    // The environment would win over the file.
    const { avro_path: _, ...others } = place.env
    const env = { ...others, http_listen, run_interval: '10m' }
    place.env = env
    const cli = startIn(undefined, env, '--config', config)
    await cli.event('archiver.failed', ({ archiver }) => archiver === 'fileavro')
    const told = await place.run('retry', 'fileavro', '--config', config)
    expect(told).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^fileavro: the service tries again/),
    })
    await cli.event('service.reloaded', ({ msg }) => /nothing has changed; archivers that wait/.test(msg))
    expect(await place.run('retry', 'nosuch', '--config', config)).toMatchObject({ code: 2 })
    expect(await place.run('retry', 'clickhouse', '--config', config)).toMatchObject({ code: 0 })
    expect((await runCli(['retry', 'fileavro'], { ...env, avro_path: place.folder, http_listen: 'off' })).code).toBe(1)
    await writeFile(config, `avro_path=${place.folder}\n`)
    await cli.event('service.reloaded', ({ msg }) => /^new settings \(avro_path/.test(msg))
  })

  test('answers for scores out of ClickHouse; nothing where there is none', async () => {
    const http_listen = `127.0.0.1:${await freePort()}`
    const scores = `http://${http_listen}/api/scores`
    const cli = start({ http_listen })
    await done(cli, 'clickhouse', 1_000)
    const all = await (await fetch(`${scores}?limit=2000`)).json()
    expect(all).toMatchObject({ scores: { length: 1_000 }, next: null })
    expect((await fetch(`${scores}?server=x`)).status).toBe(400)
    expect((await fetch(`${scores}s`)).status).toBe(404)
    expect(await cli.end()).toBe(0)
    const without = start({ http_listen, ch_dsn: '' })
    await without.event('service.leading', () => true)
    expect((await fetch(scores)).status).toBe(404)
    expect(await without.end()).toBe(0)
  })

  test('an archiver that is turned on while it runs is served; one that is turned off is left alone', async () => {
    await place.connection.query("delete from log_scores_archive_status where archiver = 'clickhouse'")
    const cli = start()
    await done(cli, 'fileavro', 1_000)
    await place.connection.query("delete from log_scores_archive_status where archiver = 'fileavro'")
    await place.connection.query("insert into log_scores_archive_status (archiver) values ('clickhouse')")
    await done(cli, 'clickhouse', 1_000)
    await insertRows(place.connection, 'log_scores', generateRows({ rows: 100, firstId: 1_001n }))
    await done(cli, 'clickhouse', 100)
    expect(await cli.end()).toBe(0)
    expect(await place.marks()).toEqual({ clickhouse: 1100 })
    expect(await place.fileRows()).toHaveLength(1_000)
  })

  test('a second one stands by, and leads when the first stops', async () => {
    const first = start()
    await first.event('service.leading')
    const second = start()
    const standby = await second.event('service.standby')
    expect(standby.msg).toMatch(/is held by connection \d+, user \w+, host/)
    expect(await first.end()).toBe(0)
    await second.event('service.leading')
    await insertRows(place.connection, 'log_scores', generateRows({ rows: 10, firstId: 1_001n }))
    await done(second, 'clickhouse', 10)
    expect(await second.end('SIGINT')).toBe(0)
    expect(await place.clickhouseIds()).toEqual(upTo(1_010))
  })

  test('an archive that fails is tried again later, and delays no other', async () => {
    const cli = start({ avro_path: join(place.folder, 'missing') })
    await cli.event('archiver.failed', ({ archiver }) => archiver === 'fileavro')
    await cli.event('archiver.failed', ({ archiver }) => archiver === 'fileavro', cli.events.length)
    await done(cli, 'clickhouse', 1_000)
    expect(await cli.end()).toBe(0)
  })

  test('without a status table, or with a wrong password, it says so and tries again', async () => {
    await place.connection.query('rename table log_scores_archive_status to hidden')
    const cli = start()
    expect(await cli.event('service.failing')).toMatchObject({ error: { code: 'STATUS_TABLE_MISSING' } })
    await place.connection.query('rename table hidden to log_scores_archive_status')
    await done(cli, 'fileavro', 1_000)
    expect(await cli.end()).toBe(0)
    const wrong = start({ db_pass: 'wrong' })
    expect(await wrong.event('service.failing')).toMatchObject({ error: { code: 'MYSQL_ACCESS_DENIED' } })
    await wrong.event('service.failing', () => true, wrong.events.length)
    expect(await wrong.end()).toBe(0)
  })

  test('settings that cannot be used end it with 2', async () => {
    const run = await runCli(['run'], { ...place.env, run_interval: 'often', http_listen: '5000' })
    expect(run.code).toBe(2)
    expect(run.stderr).toMatch(/run_interval: "often" is not a duration/)
    expect(run.stderr).toMatch(/http_listen: "5000" is not an address/)
  })

  test('a changed config file is taken; one that cannot be used is refused, and the old settings stay', async () => {
    const config = join(place.folder, '..', `${database.name}.env`)
    const text = (rows: number) => `batch_ch_max_size=${rows}\n`
    await writeFile(config, text(5_000))
    const cli = start({}, '--config', config)
    await done(cli, 'clickhouse', 1_000)
    await writeFile(config, 'batch_ch_max_size=lots\n')
    expect((await cli.event('service.reload-refused')).msg).toMatch(/not taken.*batch_ch_max_size: from --config/s)
    const before = cli.events.length
    await insertRows(place.connection, 'log_scores', generateRows({ rows: 10, firstId: 1_001n }))
    await done(cli, 'clickhouse', 10, before)
    await writeFile(config, text(7))
    await cli.event('service.reloaded')
    await insertRows(place.connection, 'log_scores', generateRows({ rows: 20, firstId: 1_011n }))
    const planned = await cli.event('archiver.done', ({ archiver, rows }) => archiver === 'clickhouse' && rows === 20)
    expect(planned).toMatchObject({ batches: 3 })
    expect(await cli.end()).toBe(0)
    await rm(config)
  })

  test('a database.yaml that changes is taken', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'archiver-run-'))
    const write = (user: string | undefined) => writeFile(join(cwd, 'database.yaml'), `mysql: { user: ${user} }\n`)
    const { db_user, ...env } = place.env
    await write('nobody')
    const cli = startIn(cwd, env)
    expect(await cli.event('service.failing')).toMatchObject({ error: { code: 'MYSQL_ACCESS_DENIED' } })
    await write(db_user)
    await cli.event('service.reloaded')
    await done(cli, 'clickhouse', 1_000)
    expect(await cli.end()).toBe(0)
    await rm(cwd, { recursive: true })
  })
})
