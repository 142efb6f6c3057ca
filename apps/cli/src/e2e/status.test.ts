import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ServiceStatus } from '@archiver/service'
import { freePort, generateRows, insertRows, LoggingProcess } from '@archiver/testkit'
import { describeWithMySql, sharedClickHouse } from '@archiver/testkit/vitest'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type CliRun, launcher } from './run-cli.js'
import { Workplace } from './workplace.js'

await describeWithMySql('archiver status', { clickhouse: sharedClickHouse }, (database) => {
  let place: Workplace
  let running: LoggingProcess[]
  beforeAll(async () => {
    place = await Workplace.open(database)
  })
  beforeEach(async () => {
    running = []
    await place.reset(1_000, ['fileavro', 'clickhouse', 'cleanup'])
    place.env.http_listen = `127.0.0.1:${await freePort()}`
    place.env.archive_settle = '0s'
  })
  afterEach(async () => {
    for (const cli of running) await cli.end('SIGKILL')
  })
  afterAll(() => place.close())

  const documentOf = (run: CliRun): ServiceStatus => JSON.parse(run.stdout) as ServiceStatus // of --json
  const start = (...args: readonly string[]): LoggingProcess => {
    const cli = new LoggingProcess({ command: launcher, args, env: { run_interval: '100ms', ...place.env } })
    running.push(cli)
    return cli
  }

  describe('where no service answers', () => {
    test('tells what MySQL knows: nothing stored yet, then all of it', async () => {
      const before = documentOf(await place.run('status', '--json'))
      expect(before).toMatchObject({ service: null, table: 'log_scores', newest: { id: '1000' } })
      expect(before.archivers).toMatchObject([{ mark: null }, { mark: null }])
      await place.run('archive')
      const run = await place.run('status', '--json')
      expect(run).toMatchObject({ code: 0, stderr: '' })
      expect(documentOf(run)).toMatchObject({
        health: 'ok',
        archivers: [
          { archiver: 'fileavro', mark: '1000', lag: { rows: '0', ms: 0 }, lastBatch: { rows: 1000 } },
          { archiver: 'clickhouse', mark: '1000', lag: { rows: '0', ms: 0 }, lastBatch: { rows: 1000 } },
        ],
      })
    })

    test('a table for people, without colours where no terminal is', async () => {
      await place.run('archive')
      const { stdout, code } = await place.run('status')
      expect(code).toBe(0)
      const lines = stdout.split('\n')
      expect(lines[0]).toMatch(/^\w+\.log_scores {2}no service {2}as of now, \d\d:\d\d:\d\d UTC$/)
      expect(lines[1]).toContain('No service answers on this host')
      expect(stdout).toMatch(/^ARCHIVER +STATE +BEHIND +ROWS AT MOST +MARK +LAST BATCH +NEXT RUN$/m)
      expect(stdout).toMatch(/^clickhouse +unknown +nothing +0 +1,000 {2}1,000 rows, [\d.]+ kB in [\d.]+ s, .*$/m)
      expect(stdout).not.toContain('\x1b')
    })

    test('rows that wait for too long are late: exit 1', async () => {
      await place.run('archive')
      await insertRows(place.connection, 'log_scores', generateRows({ rows: 500, firstId: 1_001n }))
      place.env.status_late_after = '1s'
      const run = await place.run('status')
      expect(run.code).toBe(1)
      expect(run.stdout).toMatch(/^clickhouse +unknown, late/m)
      place.env.status_late_after = '24h'
      place.env.batch_ch_min_size = place.env.batch_avro_min_size = '5000'
      expect((await place.run('status')).code).toBe(0)
    })

    test('MySQL out of reach is told with what to do: exit 1', async () => {
      const [host] = place.env.db_host!.split(':')
      place.env.db_host = `${host}:${await freePort()}`
      const run = await place.run('status')
      expect(run.code).toBe(1)
      expect(run.stdout).toMatch(/^MySQL: \w+, now: .+\n {2}→ .+$/m)
      expect(run.stdout).not.toContain(place.env.db_pass || 'no password here')
      expect(documentOf(await place.run('status', '--json'))).toMatchObject({
        health: 'failing',
        mysql: { reachable: false },
      })
    })

    test('a table that cannot be had: exit 2, as for every command', async () => {
      expect(await place.run('status', '-t', 'servers')).toMatchObject({ code: 2, stdout: '' })
    })
  })

  test('asks the service where one runs: what it does, and what MySQL does not know', async () => {
    const cli = start('run')
    await cli.event('archiver.done', ({ archiver, rows }) => archiver === 'clickhouse' && rows === 1_000)
    await cli.event('archiver.done', ({ archiver, rows }) => archiver === 'fileavro' && rows === 1_000)
    await expect.poll(async () => (await place.run('status')).code).toBe(0)
    const run = await place.run('status', '--json')
    const answered = documentOf(run)
    expect(answered).toMatchObject({ service: { role: 'leader', pid: expect.any(Number) }, health: 'ok' })
    const stored = { state: 'waiting', mark: '1000', lastBatch: { rows: 1000 }, lastSuccessAt: expect.any(String) }
    expect(answered.archivers).toMatchObject([stored, stored])
    expect(answered.cleanup).toMatchObject({ state: 'waiting', nextRunAt: expect.any(String) })
    const metrics = await (await fetch(`http://${place.env.http_listen}/metrics`)).text()
    for (const name of ['fileavro', 'clickhouse']) {
      expect(metrics).toContain(`archiver_archived_rows_total{archiver="${name}"} 1000\n`)
    }
    const fetched = (await (await fetch(`http://${place.env.http_listen}/api/status`)).json()) as ServiceStatus
    expect(Object.keys(answered).sort()).toEqual(Object.keys(fetched).sort())
    expect((await place.run('status')).stdout).toMatch(/: leader since \d\d:\d\d:\d\d \(/)
    expect(await cli.end()).toBe(0)
    expect(documentOf(await place.run('status', '--json')).service).toBeNull()
  })

  describe('what answers there and is no such service is not believed', () => {
    async function withServer(answer: ((url: string) => string) | null, body: () => Promise<void>): Promise<void> {
      const server = createServer((request, response) => {
        if (answer !== null) response.end(answer(request.url!))
      }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      place.env.http_listen = `127.0.0.1:${(server.address() as AddressInfo).port}` // a listening TCP server has one
      try {
        await body()
      } finally {
        server.closeAllConnections()
        server.close()
      }
    }

    test.each<[string, ((url: string) => string) | null]>([
      ['another program', () => '<html>'],
      ['JSON of something else', () => '{"health":"ok"}'],
      ['a service for another table', () => JSON.stringify({ ...other, table: 'log_scores_archive' })],
      ['one that never answers', null],
    ])('%s', async (_, answer) => {
      await withServer(answer, async () => {
        const status = documentOf(await place.run('status', '--json'))
        expect(status).toMatchObject({ service: null, newest: { id: '1000' } })
      })
    })

    const other = { health: 'ok', archivers: [], mysql: {}, service: {}, database: database.name }
  })

  test('--watch goes on until it is told to stop', async () => {
    const child = spawn(launcher, ['status', '--json', '--watch'], { env: { PATH: process.env.PATH, ...place.env } })
    let printed = ''
    for await (const piece of child.stdout.setEncoding('utf8')) {
      printed += String(piece)
      if (printed.split('\n').length > 2) child.kill('SIGINT')
    }
    const [first, second] = printed.split('\n').map((line) => line && (JSON.parse(line) as ServiceStatus))
    expect([first, second]).toMatchObject([{ service: null }, { service: null }])
    expect(child.exitCode ?? (await once(child, 'exit'))[0]).toBe(130)
  })
})
