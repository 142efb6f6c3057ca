import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { freePort, LoggingProcess } from '@archiver/testkit'
import { describeWithMySql } from '@archiver/testkit/vitest'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { launcher } from './run-cli.js'
import { Workplace } from './workplace.js'

/** A title for the window, a colour, a reversal, a line that looks like one of the log, and a password. */
const HOSTILE =
  'Code: 999. DB::Exception: \x1b]0;owned\x07\x1b[31mred \u202egpj.exe\u2066 \x9b31m\u2028\r\n[00:00:00.000] INFO: all is well\npassword=tops3cret'
const CONTROL = /[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069\u2028\u2029]/u
const FORGED = /^\[00:00:00\.000\] INFO: all is well/m

await describeWithMySql('a server with hostile texts', (database) => {
  let place: Workplace
  let server: Server
  beforeAll(async () => {
    place = await Workplace.open(database)
    server = createServer((request, response) => {
      request.resume()
      response.writeHead(500, { 'x-clickhouse-exception-code': '999' }).end(HOSTILE)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  beforeEach(async () => {
    await place.reset(100)
    // A TCP server that listens has an address of this form.
    place.env.ch_dsn = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`
  })
  afterAll(async () => {
    server.closeAllConnections()
    server.close()
    await place.close()
  })

  function expectHarmless(text: string): void {
    expect(text).not.toMatch(CONTROL)
    expect(text).not.toMatch(FORGED)
    expect(text).not.toContain('tops3cret')
  }

  test.each([
    ['init', '--yes'],
    ['init', '--dry-run'],
    ['archive'],
    ['archive', '--log-format', 'pretty'],
    ['archive', '--dry-run'],
    ['verify', '--only', 'clickhouse'],
    ['verify', '--only', 'clickhouse', '--json'],
    ['read', 'clickhouse'],
    ['restore', '--archive', 'clickhouse', '--into', 'log_scores_test', '--yes'],
  ])('%s %s %s %s', async (...args) => {
    await place.connection.query('create table if not exists log_scores_test like log_scores')
    await place.connection.query("update log_scores_archive_status set log_score_id = 50 where archiver = 'clickhouse'")
    const run = await place.run(...args)
    expectHarmless(run.stdout + run.stderr)
    if (args[0] !== 'archive' || args[1] !== '--dry-run') expect(run.stdout + run.stderr).toContain('DB::Exception')
  })

  test('the service: its log, /readyz, status, metrics, health and the status command', async () => {
    const http_listen = `127.0.0.1:${await freePort()}`
    const name = 'evil\x1b[31m\u202e\nname'
    await place.connection.query('insert into log_scores_archive_status (archiver) values (?)', [name])
    const env = { ...place.env, http_listen, run_interval: '100ms' }
    const cli = new LoggingProcess({ command: launcher, args: ['run', '--log-format', 'json'], env })
    try {
      await cli.event('archiver.failed', (line) => line.archiver === 'clickhouse')
      await cli.event('archiver.failed', (line) => line.archiver !== 'clickhouse')
      const get = async (path: string) => (await fetch(`http://${http_listen}${path}`)).text()
      expect(await get('/readyz')).toMatch(/clickhouse fails: .*DB::Exception/)
      for (const path of ['/readyz', '/api/status', '/metrics']) expectHarmless(await get(path))
      place.env.http_listen = http_listen
      for (const args of [['status'], ['status', '--json'], ['health', '--ready']]) {
        const run = await place.run(...args)
        expectHarmless(run.stdout + run.stderr)
        expect(run.stdout).toContain('DB::Exception')
      }
      expectHarmless(JSON.stringify(cli.events))
    } finally {
      await cli.end()
    }
  })
})
