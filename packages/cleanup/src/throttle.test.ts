import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ReplicaAddress } from '@archiver/core'
import { connect, disconnect, MySqlCleanupSource } from '@archiver/mysql'
import { createDatabase, startMariaDb } from '@archiver/testkit'
import { describeNeeding } from '@archiver/testkit/vitest'
import { afterAll, afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import type { CleanupEvent } from './events.js'
import { describeBlocked, needsOperator } from './index.js'
import { unseenReplicas } from './look-at-replicas.js'
import type { ThrottlePolicy } from './options.js'
import type { CleanupResult } from './result.js'
import { replicate, startReplicaPair } from './testing/replica-pair.js'
import { Workbench } from './testing/workbench.js'

await describeNeeding('with a replica', { pair: startReplicaPair }, ({ pair }) => {
  let bench: Workbench
  beforeEach(async () => {
    bench = await Workbench.open(pair.database)
    await bench.insert(100, 20)
    await bench.archiveAll(100n)
    await pair.caughtUp()
  })
  afterEach(() => bench[Symbol.asyncDispose]())
  afterAll(() => pair.stop())

  const named = (policy: ThrottlePolicy = {}): ThrottlePolicy => ({
    replicas: [{ host: '127.0.0.1', port: pair.replicaPort }],
    maxLagMs: 1_000,
    maxWaitMs: 0,
    ...policy,
  })

  function inTheWay({ end }: CleanupResult) {
    expect(end.why).toBe('blocked')
    // Or the line before has failed.
    return (end as Extract<typeof end, { why: 'blocked' }>).blocked
  }

  /** Holds the replica's table, so that what the source does waits there. */
  async function holdUp(): Promise<void> {
    await pair.replica.query(`lock tables \`${bench.table}\` read`)
    await bench.insert(1, 1, 101n)
    await expect.poll(() => lagNow(), { timeout: 20_000 }).toBeGreaterThan(1_000)
  }

  async function lagNow(): Promise<number | null> {
    const found = await bench.cleanupSource().replicas({ replicas: [{ host: '127.0.0.1', port: pair.replicaPort }] })
    if (typeof found === 'string') throw new Error(found)
    await using replica = found[0]!
    return (await replica.lag()).lagMs
  }

  test('that keeps up nothing waits', async () => {
    expect((await bench.clean({ throttle: named() })).rows).toBe(99)
  })

  test('that lags nothing is deleted, and once it has caught up the run goes on', async () => {
    await holdUp()
    onTestFinished(() => pair.replica.query('unlock tables').then(() => undefined))
    const before = (await bench.ids()).length
    const blocked = inTheWay(await bench.clean({ throttle: named() }))
    expect(blocked).toMatchObject({ reason: 'replica-lag', lagMs: expect.any(Number), limitMs: 1_000 })
    expect(describeBlocked(blocked, bench.table).why).toMatch(/127\.0\.0\.1:\d+: \d+ s behind, above 1 s/)
    expect(needsOperator(blocked)).toBe(false)
    expect(await bench.ids()).toHaveLength(before)
    const waits: CleanupEvent[] = []
    const onEvent = (event: CleanupEvent) => {
      if (event.event === 'cleanup.waiting' && waits.push(event) === 1) void pair.replica.query('unlock tables')
    }
    const result = await bench.clean({ throttle: named({ maxWaitMs: 30_000 }), onEvent })
    expect(waits.length).toBeGreaterThan(0)
    expect(result.end).toMatchObject({ why: 'marks' })
    expect(result.rows).toBeGreaterThan(0)
  })

  test('whose applier is stopped nothing is deleted', async () => {
    await pair.replica.query(pair.applier.stop)
    const blocked = inTheWay(await bench.clean({ throttle: named() }))
    await pair.replica.query(pair.applier.start)
    expect(blocked).toMatchObject({ reason: 'replica-lag', lagMs: null, why: 'replication does not run' })
    await pair.caughtUp()
    expect((await bench.clean({ throttle: named() })).rows).toBe(99)
  })

  test('that does not answer nothing is deleted, if it is named', async () => {
    const replicas = [{ host: '127.0.0.1', port: 1 }]
    const blocked = inTheWay(await bench.clean({ throttle: named({ replicas }) }))
    expect(blocked).toMatchObject({
      replica: '127.0.0.1:1',
      lagMs: null,
      why: expect.stringMatching('nothing listens'),
    })
  })

  test('that is frozen nothing is deleted, and it is not waited for', async () => {
    await pair.replicaProcess.freeze()
    onTestFinished(() => pair.replicaProcess.thaw())
    const startedMs = performance.now()
    const blocked = inTheWay(await bench.clean({ throttle: named() }))
    expect(blocked).toMatchObject({ reason: 'replica-lag', lagMs: null, why: expect.any(String) })
    expect(performance.now() - startedMs).toBeLessThan(15_000)
  })

  test('that freezes later is given up as well', async () => {
    await bench.insert(12_000, 20, 101n)
    await bench.archiveAll(12_100n)
    await pair.caughtUp()
    const onEvent = ({ event }: CleanupEvent) => void (event === 'cleanup.started' && pair.replicaProcess.freeze())
    onTestFinished(() => pair.replicaProcess.thaw())
    const blocked = inTheWay(await bench.clean({ throttle: named(), onEvent }))
    expect(blocked).toMatchObject({ reason: 'replica-lag', lagMs: null, why: expect.any(String) })
  })

  test('a server that is no replica is no replica', async () => {
    const replicas = [{ host: '127.0.0.1', port: pair.database.address.port }]
    const blocked = inTheWay(await bench.clean({ throttle: named({ replicas }) }))
    expect(blocked).toMatchObject({ lagMs: null, why: 'it is not a replica' })
  })

  test('that the source knows of, it is found without being named', async () => {
    await pair.replica.query(pair.applier.stop)
    const blocked = inTheWay(await bench.clean({ throttle: named({ replicas: [] }) }))
    await pair.replica.query(pair.applier.start)
    expect(blocked).toMatchObject({ reason: 'replica-lag', replica: `127.0.0.1:${pair.replicaPort}` })
  })

  test('of several channels each counts, also those with a name', async () => {
    await pair.replica.query("change master 'pool' to master_host='127.0.0.1', master_port=1, master_user='root'")
    onTestFinished(() => pair.replica.query("reset slave 'pool' all").then(() => undefined))
    const blocked = inTheWay(await bench.clean({ throttle: named() }))
    expect(blocked).toMatchObject({ lagMs: null, why: 'replication of channel pool does not run' })
  })

  test('one that is found and cannot be asked stops the cleaner unless it is ignored', async () => {
    const rows = await bench.query('show slave hosts')
    const second = await startMariaDb({ serverArgs: ['--server-id=17', '--report-host=127.0.0.1', '--report-port=1'] })
    onTestFinished(() => second.stop())
    const admin = await (await createDatabase(second)).connect()
    for (const statement of replicate(pair.database.server)) await admin.query(statement)
    await expect.poll(() => bench.query('show slave hosts'), { timeout: 20_000 }).toHaveLength(rows.length + 1)
    const throttle = named({ replicas: [], maxLagMs: 600_000 })
    const blocked = inTheWay(await bench.clean({ throttle }))
    expect(blocked).toMatchObject({
      replica: '127.0.0.1:1',
      lagMs: null,
      why: expect.stringContaining('nothing listens'),
    })
    expect(describeBlocked(blocked, bench.table).hint).toContain('cleanup_replicas_ignored=127.0.0.1:1')
    const ignoring = (...ignoredReplicas: string[]) => bench.clean({ throttle: { ...throttle, ignoredReplicas } })
    await pair.replica.query(pair.applier.stop)
    onTestFinished(() => pair.replica.query(pair.applier.start).then(() => undefined))
    const seen = `127.0.0.1:${pair.replicaPort}`
    expect(inTheWay(await ignoring('server_id=17'))).toMatchObject({ replica: seen })
    expect((await ignoring('server_id=17', seen)).rows).toBe(99)
    await admin.query('stop slave')
    await admin.end()
  })

  test('what keeps a replica from being seen is told beforehand', async () => {
    const look = (...replicas: ReplicaAddress[]) => unseenReplicas(bench.cleanupSource(), { replicas })
    expect(await look()).toEqual([])
    expect(await look({ host: '127.0.0.1', port: pair.replicaPort })).toEqual([])
    const { port } = pair.database.address
    expect(await look({ host: '127.0.0.1', port })).toEqual([`replica 127.0.0.1:${port}: it is not a replica`])
  })

  test('an account that may not look for replicas is told of it, and deletes', async () => {
    const { name, address } = pair.database
    await bench.query(`create user if not exists 'plain'@'%' identified by 'plain'`)
    await bench.query(`grant all on \`${name}\`.* to 'plain'@'%'`)
    const settings = { ...address, user: 'plain', password: 'plain' }
    const connection = await connect(settings)
    onTestFinished(() => disconnect(connection))
    const database = new MySqlCleanupSource({ connection, settings, table: bench.table })
    const result = await bench.clean({ database, throttle: named({ replicas: [] }) })
    expect(result.rows).toBe(99)
    expect(bench.eventsOf('cleanup.replicas-unseen')).toMatchObject([{ why: expect.stringMatching(/denied/i) }])
  })

  test('a busy server is let be', async () => {
    const busy = await pair.database.connect()
    const sleeping = busy.query('do sleep(60)').catch(() => undefined)
    const asleep = () => bench.query("select id from information_schema.processlist where info like 'do sleep%'")
    await expect.poll(asleep).toHaveLength(1)
    const blocked = inTheWay(await bench.clean({ throttle: { maxLoad: 1, maxLagMs: 0, maxWaitMs: 0 } }))
    expect(blocked).toMatchObject({ reason: 'load', limit: 1 })
    await bench.query(`kill query ${(await asleep())[0]?.id}`)
    await sleeping
    await busy.end()
  })

  test('a pause file holds everything up for as long as it is there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cleanup-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const pauseFile = join(folder, 'pause')
    await writeFile(pauseFile, '')
    const throttle = { pauseFile, maxLagMs: 0 }
    expect(inTheWay(await bench.clean({ throttle }))).toEqual({ reason: 'paused', file: pauseFile })
    await rm(pauseFile)
    const onEvent = ({ event }: CleanupEvent) => void (event === 'cleanup.started' && writeFile(pauseFile, ''))
    expect((await bench.clean({ throttle, onEvent })).end).toMatchObject({ why: 'blocked' })
    await rm(pauseFile)
    expect((await bench.clean({ throttle })).rows).toBe(99)
  })
})
