import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { FaultPoint } from '@archiver/core'
import type { LockTimes } from '@archiver/core/lock'
import { MySqlLock } from '@archiver/mysql'
import { createDatabase, type MySqlDatabase } from '@archiver/testkit'
import { describeWithMySql, describeWithOwnMySql, sharedClickHouse } from '@archiver/testkit/vitest'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ArchiverName } from './archives.js'
import { Cli, type CliEnv, runCli } from './cli.js'
import { runHeldUp } from './held-up.js'
import { Site } from './site.js'
import { TcpProxy } from './tcp-proxy.js'

const BATCHES = { batch_avro_max_size: '400', batch_ch_max_size: '400', batch_avro_append_size: '50' }

/** An eighth of the real times: the server takes no session shorter than a second. */
const SCALED: LockTimes = { sessionWaitS: 1, pingIntervalMs: 250, lifeMs: 750 }

const lost = (why: RegExp) => expect.objectContaining({ code: 'LOCK_LOST', message: expect.stringMatching(why) })

async function killHolder(connection: Connection, name: string): Promise<void> {
  const [rows] = await connection.query<RowDataPacket[]>('select is_used_lock(?) as id', [name])
  await connection.query(`kill ${rows[0]?.id}`)
}

/** The reason that the lock's signal gives when it aborts. */
async function lossOf(lock: MySqlLock): Promise<unknown> {
  if (!lock.signal.aborted) await once(lock.signal, 'abort')
  expect(() => lock.assertHeld()).toThrow()
  return lock.signal.reason
}

await describeWithMySql('the lock, its times at an eighth', (database) => {
  let connection: Connection
  let proxy: TcpProxy
  beforeAll(async () => {
    connection = await database.connect()
    proxy = await TcpProxy.to(database.address.port)
  })
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]()
    await connection.end()
  })

  const take = (name: string, times = SCALED, timeoutMs = 5_000) =>
    MySqlLock.take({ settings: { ...database.address, port: proxy.port }, name, timeoutMs, times })

  test('is held for as long as it is answered for', async () => {
    await using lock = await take('kept')
    await delay(1_600)
    lock.assertHeld()
    await expect(take('kept', SCALED, 0)).rejects.toMatchObject({ code: 'LOCK_HELD' })
  })

  test('is lost with its connection', async () => {
    await using lock = await take('killed')
    await killHolder(connection, 'killed')
    expect(await lossOf(lock)).toEqual(lost(/the lock killed was lost: /))
  })

  test('is lost when a proxy drops the connection', async () => {
    await using lock = await take('dropped')
    proxy.reset()
    expect(await lossOf(lock)).toEqual(lost(/ECONNRESET|closed/))
  })

  test('is lost before the server lets go, when nothing is answered any more', async () => {
    await using lock = await take('stalled')
    const heldSince = performance.now()
    proxy.silence('answers')
    const other = MySqlLock.take({ settings: database.address, name: 'stalled', timeoutMs: 10_000, times: SCALED })
    while (performance.now() - heldSince < 3_000) {
      try {
        lock.assertHeld()
      } catch (error) {
        expect(error).toEqual(lost(/no answer for 0.75 s/))
        break
      }
      await delay(5)
    }
    expect(performance.now() - heldSince).toBeLessThan(1_000)
    proxy.restore()
    await (await other)[Symbol.asyncDispose]()
  })

  test('an abort while it is waited for ends the wait', async () => {
    await using _ = await take('waited')
    const stop = new AbortController()
    const waiting = MySqlLock.take({
      settings: database.address,
      name: 'waited',
      timeoutMs: 60_000,
      signal: stop.signal,
    })
    setTimeout(() => stop.abort(new Error('enough')), 200)
    await expect(waiting).rejects.toThrow('enough')
  })
})

await describeWithMySql(
  'the built program and its lock',
  { clickhouse: sharedClickHouse },
  (database, { clickhouse }) => {
    let site: Site
    beforeAll(async () => {
      site = await Site.open(database, clickhouse)
      await site.fill(1_000)
    })
    afterAll(() => site.close())

    const lockName = `archiver-${database.name}`

    describe.each(['fileavro', 'clickhouse'] as const)('%s', (archiver) => {
      beforeEach(() => site.empty([archiver]))

      test('stops when the connection of its lock is killed: no mark moves, exit 1 with the reason', async () => {
        const run = await runWhile(env(), archiver, () => killHolder(site.connection, lockName))
        expect(run.code).toBe(1)
        expect(run.stderr).toMatch(/LOCK_LOST/)
        expect(await site.marks()).toEqual({ [archiver]: 400 })
        await expectPlainRunToFinish(archiver)
      })

      test('stops when a proxy drops its connections', async () => {
        await using proxy = await TcpProxy.to(database.address.port)
        const through = { ...env(), db_host: `127.0.0.1:${proxy.port}` }
        const run = await runWhile(through, archiver, async () => proxy.reset())
        expect(run.code).toBe(1)
        expect(run.stderr).toMatch(/LOCK_LOST/)
        expect(await site.marks()).toEqual({ [archiver]: 400 })
        await expectPlainRunToFinish(archiver)
      })

      // In real time: the server lets go after 8 s.
      test.each<FaultPoint>(archiver === 'fileavro' ? ['file.synced', 'commit.before'] : ['clickhouse.sent'])(
        'frozen at %s for longer than its lock lives, while another one takes over: it thaws and does nothing more',
        async (point) => {
          const frozen = new Cli(env(), { point, pass: 2, action: 'stop' })
          await frozen.untilStopped()
          expect(await runCli({ ...env(), db_lock_timeout: '20s' })).toMatchObject({ code: 0 })
          const before = await site.marks()
          expect(await site.problems(archiver)).toEqual([])
          frozen.child.kill('SIGCONT')
          const { code, stderr } = await frozen.done
          expect(code).toBe(1)
          expect(stderr).toMatch(/LOCK_LOST/)
          expect(await site.marks()).toEqual(before)
          expect(await site.problems(archiver)).toEqual([])
        },
      )
    })

    test('waits for the lock as long as db_lock_timeout says, then exit 3', async () => {
      await site.empty(['fileavro'])
      const holder = await MySqlLock.take({ settings: database.address, name: lockName, timeoutMs: 0 })
      const startedMs = performance.now()
      expect(await runCli({ ...env(), db_lock_timeout: '2s' })).toMatchObject({ code: 3 })
      expect(performance.now() - startedMs).toBeGreaterThan(2_000)
      const patient = runCli({ ...env(), db_lock_timeout: '30s' })
      await delay(1_000)
      await holder[Symbol.asyncDispose]()
      expect(await patient).toMatchObject({ code: 0 })
      expect(await site.problems('fileavro')).toEqual([])
    })

    test('SIGTERM ends the wait for the lock at once', async () => {
      await using _ = await MySqlLock.take({ settings: database.address, name: lockName, timeoutMs: 0 })
      const waiting = new Cli({ ...env(), db_lock_timeout: '60s' })
      await untilWaiting(site.connection)
      waiting.child.kill('SIGTERM')
      expect(await waiting.done).toMatchObject({ code: 143 })
    })

    const env = () => ({ ...site.env, ...BATCHES })

    async function expectPlainRunToFinish(archiver: ArchiverName): Promise<void> {
      expect(await runCli({ ...env(), db_lock_timeout: '20s' })).toMatchObject({ code: 0 })
      expect(await site.problems(archiver)).toEqual([])
    }
  },
)

await describeWithOwnMySql(
  'the built program, when its server restarts',
  (server) => {
    test.each(['fileavro', 'clickhouse'] as const)(
      '%s: exit 1 with the reason, and nothing is lost',
      async (archiver) => {
        const database: MySqlDatabase = await createDatabase(server)
        let site = await Site.open(database, await sharedClickHouse())
        await site.fill(1_000, [archiver])
        const env = { ...site.env, ...BATCHES }
        await site.connection.end()
        const run = await runWhile(env, archiver, () => server.process.restart('SIGKILL'))
        expect(run.code).toBe(1)
        expect(run.stderr).toMatch(/LOCK_LOST|MYSQL_UNREACHABLE/)
        site = site.with(await database.connect())
        expect(await site.marks()).toEqual({ [archiver]: 400 })
        expect(await runCli(env)).toMatchObject({ code: 0 })
        expect(await site.problems(archiver)).toEqual([])
        await site.close()
      },
    )
  },
  { durable: true, needs: { clickhouse: sharedClickHouse } },
)

async function untilWaiting(connection: Connection): Promise<void> {
  const sql = "select 1 from information_schema.processlist where state = 'User lock' and db = database()"
  const poll = { timeout: 30_000 }
  await expect.poll(async () => (await connection.query<RowDataPacket[]>(sql))[0].length, poll).toBe(1)
}

/** Runs the program; in the middle of its second batch something happens to it. */
function runWhile(env: CliEnv, archiver: 'fileavro' | 'clickhouse', happening: () => Promise<void>) {
  const place = {
    fileavro: { point: 'file.written', pass: 12 },
    clickhouse: { point: 'clickhouse.sending', pass: 2 },
  } as const
  return runHeldUp(env, place[archiver], happening)
}
