import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { freePort } from '@archiver/testkit'
import { describeWithMySql } from '@archiver/testkit/vitest'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { launcher, runCliIntoFull } from './run-cli.js'
import { Workplace } from './workplace.js'

await describeWithMySql('a full disk below the log, or below the output', (database) => {
  let place: Workplace
  beforeAll(async () => {
    place = await Workplace.open(database)
  })
  beforeEach(() => place.reset(100))
  afterAll(() => place.close())

  test.each([[[]], [['--log-format', 'pretty']]])('the log stops no pass: archive %j', async (options) => {
    const run = await runCliIntoFull('stderr', ['archive', ...options], place.env)
    expect(run).toMatchObject({ code: 0, stdout: '' })
    expect(await place.marks()).toEqual({ fileavro: 100, clickhouse: 100 })
    expect(await place.fileRows()).toHaveLength(100)
  })

  test('the service goes on; its status, its metrics and its page say how much of the log was lost', async () => {
    const http_listen = `127.0.0.1:${await freePort()}`
    await using full = await open('/dev/full', 'w')
    const env = { PATH: process.env.PATH, ...place.env, http_listen, run_interval: '100ms' }
    const child = spawn(launcher, ['run'], { env, stdio: ['ignore', 'ignore', full.fd] })
    const exited = once(child, 'exit')
    try {
      await expect.poll(() => place.marks(), { timeout: 30_000 }).toEqual({ fileavro: 100, clickhouse: 100 })
      const text = async (path: string) => (await fetch(`http://${http_listen}${path}`)).text()
      const lost = /"lostLogLines":([1-9]\d*)/
      await expect.poll(() => text('/api/status'), { timeout: 30_000 }).toMatch(lost)
      expect(await text('/metrics')).toMatch(/^archiver_log_lost_lines_total [1-9]\d*$/m)
      place.env.http_listen = http_listen
      expect((await place.run('status')).stdout).toMatch(/\d+ lines of its log were lost/)
    } finally {
      child.kill('SIGTERM')
    }
    expect(await exited).toEqual([0, null])
  })

  test('the exit code is about the work: a pass that fails is exit 1, a wrong setting exit 2', async () => {
    place.env.avro_path = '/nowhere/avro'
    expect(await runCliIntoFull('stderr', ['archive'], place.env)).toMatchObject({ code: 1 })
    expect(await place.marks()).toEqual({ fileavro: null, clickhouse: 100 })
    expect(await runCliIntoFull('stderr', ['archive', '--nosuch'], place.env)).toMatchObject({ code: 2 })
  })

  test.each([
    ['status'],
    ['status', '--json'],
    ['verify'],
    ['verify', '--json'],
    ['config'],
    ['config', '--json'],
    ['init', '--dry-run'],
    ['archive', '--dry-run'],
    ['read', 'fileavro'],
    ['read', 'clickhouse', '--format', 'csv'],
    ['mark', 'fileavro', '--set', '50', '--reason', 'test', '--yes'],
    ['restore', '--archive', 'fileavro', '--into', 'log_scores_test', '--dry-run', '--yes'],
    ['--help'],
    ['--version'],
  ])('output that could not be written is exit 1 and one line: %s %s %s', async (...args) => {
    await place.connection.query('create table if not exists log_scores_test like log_scores')
    expect(await place.run('archive')).toMatchObject({ code: 0 })
    const run = await runCliIntoFull('stdout', args, place.env)
    expect(run.code).toBe(1)
    expect(run.stderr).toMatch(/^archiver: cannot write to standard output: [^\n]*ENOSPC[^\n]*\n$/)
  })
})
