import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDatabase, type LoggingProcess, type MySqlDatabase } from '@archiver/testkit'
import { describeWithMySql, describeWithOwnMySql, sharedClickHouse, sharedFakeGcs } from '@archiver/testkit/vitest'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ArchiverName } from './archives.js'
import type { CliEnv } from './cli.js'
import { Arrivals, RUN_INTERVAL_MS, startService } from './service-process.js'
import { Site } from './site.js'
import { TcpProxy } from './tcp-proxy.js'

const TAKEOVER_MS = 10_000
/** How long a state of things is waited for. */
const PATIENT = { timeout: 30_000, interval: 50 }
const both: readonly ArchiverName[] = ['fileavro', 'clickhouse']

function isAlive({ child }: LoggingProcess): boolean {
  return child.exitCode === null && child.signalCode === null
}

async function leads(service: LoggingProcess, sinceMs: number, from = 0): Promise<number> {
  const { time } = await service.event('service.leading', () => true, from)
  return Date.parse(time) - sinceMs
}

async function caughtUp(site: Site, archivers: readonly ArchiverName[]): Promise<void> {
  const [rows] = await site.connection.query('select max(id) as id from log_scores')
  const [{ id }] = rows as [{ id: number }]
  const wanted = Object.fromEntries(archivers.map((name) => [name, id]))
  await expect.poll(() => site.marks(), PATIENT).toEqual(wanted)
}

await describeWithMySql(
  'the service',
  { clickhouse: sharedClickHouse, gcs: sharedFakeGcs },
  (database, { clickhouse, gcs }) => {
    let site: Site
    let services: LoggingProcess[]
    beforeAll(async () => {
      site = await Site.open(database, clickhouse, gcs)
    })
    beforeEach(async () => {
      services = []
      await site.fill(2_000, both)
    })
    afterEach(async () => {
      for (const service of services) await service.end('SIGKILL')
    })
    afterAll(() => site.close())

    function start(env: CliEnv = {}, options: Parameters<typeof startService>[1] = {}): LoggingProcess {
      const service = startService(
        { ...site.env, batch_avro_max_size: '400', batch_ch_max_size: '400', ...env },
        options,
      )
      services.push(service)
      return service
    }

    /** A leader at work and a standby. */
    async function startTwo(env: CliEnv = {}): Promise<[LoggingProcess, LoggingProcess]> {
      const leader = start(env)
      await leader.event('archiver.done')
      const standby = start()
      await standby.event('service.standby')
      return [leader, standby]
    }

    async function expectWhole(archivers: readonly ArchiverName[] = both): Promise<void> {
      await caughtUp(site, archivers)
      for (const service of services) if (isAlive(service)) expect(await service.end()).toBe(0)
      for (const name of archivers) expect(await site.problems(name)).toEqual([])
    }

    /** Fifteen more batches of Avro, none of them late. */
    async function expectAvro(service: LoggingProcess, before: number): Promise<void> {
      const times: number[] = []
      for (let from = before; times.length < 15; ) {
        const line = await service.event('archiver.done', ({ archiver }) => archiver === 'fileavro', from)
        from = service.events.indexOf(line) + 1
        times.push(Date.parse(line.time))
      }
      expect(Math.max(...times.slice(1).map((time, i) => time - times[i]!))).toBeLessThan(4 * RUN_INTERVAL_MS)
    }

    describe('a standby leads within ten seconds, and no row is lost or doubled', () => {
      test.each([1, 2, 3])('after the leader is killed under load (%i)', async () => {
        const [leader, standby] = await startTwo()
        {
          await using _ = await Arrivals.into(database, 2_001n)
          await leader.event('batch.planned', () => true, leader.events.length)
          const killedMs = Date.now()
          await leader.end('SIGKILL')
          expect(await leads(standby, killedMs)).toBeLessThan(TAKEOVER_MS)
          await standby.event('archiver.done')
        }
        await expectWhole()
      })

      // In real time: the server lets go after 8 s.
      test('after the leader is frozen under load; thawed, it stands by', async () => {
        const [leader, standby] = await startTwo()
        {
          await using _ = await Arrivals.into(database, 2_001n)
          await leader.event('batch.planned', () => true, leader.events.length)
          const frozenMs = Date.now()
          leader.child.kill('SIGSTOP')
          expect(await leads(standby, frozenMs)).toBeLessThan(TAKEOVER_MS)
          const before = leader.events.length
          await standby.event('archiver.done')
          leader.child.kill('SIGCONT')
          await leader.event('service.lock-lost', () => true, before)
          await leader.event('service.standby', () => true, before)
          expect(leader.events.slice(before).map(({ event }) => event)).not.toContain('batch.done')
        }
        await expectWhole()
      })

      test('after the leader is cut off from MySQL; connected again, it stands by', async () => {
        await using proxy = await TcpProxy.to(database.address.port)
        const [leader, standby] = await startTwo({ db_host: `127.0.0.1:${proxy.port}` })
        {
          await using _ = await Arrivals.into(database, 2_001n)
          await leader.event('batch.planned', () => true, leader.events.length)
          const cutMs = Date.now()
          proxy.silence('both')
          const before = leader.events.length
          // It finds out by itself, before the server gives the lock to another.
          const lost = await leader.event('service.lock-lost', () => true, before)
          expect(Date.parse(lost.time) - cutMs).toBeLessThan(8_000)
          expect(await leads(standby, cutMs)).toBeLessThan(TAKEOVER_MS)
          proxy.restore()
          await leader.event('service.standby', () => true, before)
        }
        await expectWhole()
      })
    })

    describe('SIGHUP', () => {
      let folder: string
      let config: string
      const accounts = ['one', 'two'].map((name) => `${name}_${database.name?.slice(-8)}`)
      beforeAll(async () => {
        folder = await mkdtemp(join(tmpdir(), 'archiver-reload-'))
        config = join(folder, 'archiver.env')
        for (const account of accounts) {
          await site.connection.query(`create user '${account}'@'%' identified by 'secret of ${account}'`)
          await site.connection.query(`grant all on ${database.name}.* to '${account}'@'%'`)
        }
      })
      afterAll(async () => {
        for (const account of accounts) await site.connection.query(`drop user if exists '${account}'@'%'`)
        await rm(folder, { recursive: true })
      })

      const settingsOf = (account: string, { secret = `secret of ${account}`, db = database.name } = {}) =>
        writeFile(config, `db_user=${account}\ndb_pass='${secret}'\ndb_database=${db}\n`)
      /** A service whose account and database the file says. */
      const startWithFile = () =>
        start({ db_user: undefined, db_pass: undefined, db_database: undefined }, { args: ['--config', config] })

      test('with a new account and password: taken under load, and the old account is not used any more', async () => {
        const [one, two] = accounts as [string, string]
        await settingsOf(one)
        const service = startWithFile()
        await service.event('archiver.done')
        {
          await using _ = await Arrivals.into(database, 2_001n)
          await settingsOf(two)
          const before = service.events.length
          service.child.kill('SIGHUP')
          await service.event('service.reloaded', () => true, before)
          await service.event('service.leading', () => true, before)
          await site.connection.query(`drop user '${one}'@'%'`)
          await service.event('archiver.done', () => true, service.events.length)
          const [left] = await site.connection.query('select id from information_schema.processlist where user = ?', [
            one,
          ])
          expect(left).toEqual([])
        }
        await expectWhole()
      })

      test.each([
        ['a broken file', () => writeFile(config, "db_pass='never closed\n"), /a quote that is never closed/],
        ['a wrong password', () => settingsOf(accounts[1]!, { secret: 'wrong' }), /user or password is wrong/],
        ['another database', () => settingsOf(accounts[1]!, { db: 'elsewhere' }), /Restart the service for that/],
      ])('with %s: refused and said, and the old settings stay', async (_, change, why) => {
        await settingsOf(accounts[1]!)
        const service = startWithFile()
        await service.event('archiver.done')
        await change()
        service.child.kill('SIGHUP')
        const refused = await service.event('service.reload-refused')
        expect(refused.msg).toMatch(why)
        expect(refused.msg).not.toContain('secret of')
        const before = service.events.length
        await site.connection.query('insert into log_scores (server_id, ts, score, step) values (1, now(), 1, 1)')
        await service.event('archiver.done', () => true, before)
        await expectWhole()
      })
    })

    test('a ClickHouse that stalls delays no other archive, and is caught up later', async () => {
      await using proxy = await TcpProxy.to(site.clickhouse.server.httpPort)
      const ch_dsn = `http://default:@127.0.0.1:${proxy.port}/${site.clickhouse.name}`
      const service = start({ ch_dsn })
      await Promise.all(both.map((name) => service.event('archiver.done', ({ archiver }) => archiver === name)))
      {
        await using _ = await Arrivals.into(database, 2_001n)
        await service.event('batch.planned', () => true, service.events.length)
        proxy.silence('both')
        const before = service.events.length
        await expectAvro(service, before)
        const lines = service.events.slice(before)
        // What it had begun, it may have ended.
        expect(
          lines.filter((line) => line.event === 'archiver.done' && line.archiver === 'clickhouse').length,
        ).toBeLessThan(2)
        proxy.restore()
      }
      await expectWhole()
    })

    test('SIGTERM: the batch in hand is finished, within its time, and the exit is 0', async () => {
      const place = { point: 'file.written', pass: 2, action: 'wait', file: join(site.folder, 'held') } as const
      const service = start({ batch_avro_append_size: '50' }, { fault: place })
      await expect.poll(() => site.leftovers(), PATIENT).not.toEqual([])
      await service.event('batch.planned', ({ msg }) => msg.startsWith('fileavro'))
      service.child.kill('SIGTERM')
      await service.event('warning', ({ msg }) => msg.startsWith('SIGTERM'))
      await writeFile(`${place.file}.go`, '')
      expect(await service.exit).toBe(0)
      expect((await site.marks()).fileavro).toBeGreaterThan(0)
      for (const end of ['here', 'go']) await rm(`${place.file}.${end}`)
      expect(await site.leftovers()).toEqual([])
      start()
      await expectWhole()
    })

    test.each([
      ['left planned after shutdown_timeout, exit 0', '1s', 1, 0],
      ['a second one ends it at once', '25s', 2, 143],
    ])('SIGTERM while an archive stalls: %s', async (_, shutdown_timeout, signals, code) => {
      await site.empty(['clickhouse'])
      await using proxy = await TcpProxy.to(site.clickhouse.server.httpPort)
      const ch_dsn = `http://default:@127.0.0.1:${proxy.port}/${site.clickhouse.name}`
      const service = start({ ch_dsn, shutdown_timeout })
      await service.event('archiver.done')
      proxy.silence('both')
      await site.connection.query('insert into log_scores (server_id, ts, score, step) values (1, now(), 1, 1)')
      await expect.poll(() => proxy.isAsked, PATIENT).toBe(true)
      const sentMs = Date.now()
      for (let i = 0; i < signals; i++) {
        service.child.kill('SIGTERM')
        await service.event('warning', ({ msg }) => msg.startsWith('SIGTERM'))
      }
      expect(await service.exit).toBe(code)
      expect(Date.now() - sentMs).toBeLessThan(4_500)
      proxy.restore()
      start()
      await expectWhole(['clickhouse'])
    })

    test('a load that BigQuery takes long over delays no other archive', async () => {
      const { bigQuery } = site.cloud
      await site.empty(['fileavro', 'bigquery'])
      await bigQuery.fail({ on: 'jobs.upload', do: { kind: 'hold-job', state: 'RUNNING' } })
      const service = start({ batch_bq_max_size: '1000' })
      {
        await using _ = await Arrivals.into(database, 2_001n)
        await expect.poll(async () => (await bigQuery.jobs()).map(({ state }) => state), PATIENT).toEqual(['RUNNING'])
        await expectAvro(service, service.events.length)
        expect(service.events.map(({ msg }) => msg)).not.toContainEqual(
          expect.stringMatching(/^bigquery: batch \d+ stored/),
        )
        await bigQuery.release()
      }
      await expectWhole(['fileavro', 'bigquery'])
    })
  },
)

await describeWithOwnMySql(
  'the service, when its server restarts',
  (server) => {
    test('it waits, and goes on', async () => {
      const database: MySqlDatabase = await createDatabase(server)
      let site = await Site.open(database, await sharedClickHouse())
      await site.fill(1_000, both)
      await site.connection.end()
      const service = startService({ ...site.env, batch_avro_max_size: '100' })
      await service.event('archiver.done')
      await server.process.kill('SIGKILL')
      await service.event('service.failing')
      await server.process.restart()
      site = site.with(await database.connect())
      await service.event('service.leading', () => true, service.events.length)
      await site.connection.query('insert into log_scores (server_id, ts, score, step) values (1, now(), 1, 1)')
      await caughtUp(site, both)
      expect(await service.end()).toBe(0)
      for (const name of both) expect(await site.problems(name)).toEqual([])
      await site.close()
    })

    test('it starts before its server does', async () => {
      const database: MySqlDatabase = await createDatabase(server)
      let site = await Site.open(database, await sharedClickHouse())
      await site.fill(100, both)
      await site.connection.end()
      await server.process.kill('SIGTERM')
      const service = startService(site.env)
      expect(await service.event('service.failing')).toMatchObject({ error: { code: 'MYSQL_UNREACHABLE' } })
      await server.process.restart()
      site = site.with(await database.connect())
      await caughtUp(site, both)
      expect(await service.end()).toBe(0)
      await site.close()
    })
  },
  { durable: true, needs: { clickhouse: sharedClickHouse } },
)
