import type { EngineEvent } from '@archiver/core/engine'
import { CleanupHold, connect, disconnect, MySqlDatabase } from '@archiver/mysql'
import { createSourceTables, dropTables, generateRows, insertRows } from '@archiver/testkit'
import { describeWithMySql } from '@archiver/testkit/vitest'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ServiceConfig } from './config.js'
import type { LifeEvent } from './life-events.js'
import { Service } from './service.js'
import { statusFromMySql } from './status-from-mysql.js'
import { Shelf } from './testing/shelf.js'

await describeWithMySql('a service', (database) => {
  let connection: Connection
  let shelf: Shelf
  let life: LifeEvent[]
  let events: EngineEvent[]
  let config: ServiceConfig
  let stop: AbortController
  let running: Promise<void> | undefined

  beforeAll(async () => {
    connection = await database.connect()
  })
  beforeEach(async () => {
    await dropTables(connection)
    await createSourceTables(connection, { archivers: ['shelf', 'elsewhere'] })
    await insertRows(connection, 'log_scores', generateRows({ rows: 100, seed: 2, startSeconds: 1_700_000_000 }))
    shelf = new Shelf('shelf')
    stop = new AbortController()
    life = []
    events = []
    const policy = { retentionDays: 15, maxRows: 100, intervalMs: 240_000, reducedIntervalMs: 60_000 }
    config = {
      database: new MySqlDatabase({ settings: database.address, lock: { name: `service-${database.name}` } }),
      ...{ table: 'log_scores', lockName: `service-${database.name}`, runIntervalMs: 50, runConcurrency: 1 },
      ...{ statusLateAfterMs: undefined, settleMs: 0, shutdownTimeoutMs: 1_000, cleanup: { policy, throttle: {} } },
      policies: { shelf: shelf.policy },
      open: async (name) => (name === 'shelf' ? shelf : { notHere: 'not configured here' }),
    }
  })
  afterEach(async () => {
    stop.abort()
    await running
    running = undefined
  })
  afterAll(() => connection.end())

  function start(): Service {
    const service = new Service({
      ...{
        version: '1.2.3',
        config,
        reload: async () => config,
        drain: stop.signal,
        stop: new AbortController().signal,
      },
      onEvent: (event) => events.push(event),
      onCleanup: () => undefined,
      onLife: (event) => life.push(event),
      random: () => 0,
    })
    running = service.run()
    return service
  }

  const shown = (service: Service, name = 'shelf') =>
    service.view.status().archivers.find(({ archiver }) => archiver === name)

  test('shows what it does: lead, marks, lag, last batch, what is not here', async () => {
    const service = start()
    await expect.poll(() => shown(service)?.lastBatch?.rows).toBe(100)
    await expect.poll(() => shown(service)?.state).toBe('waiting')
    await expect.poll(() => shown(service, 'elsewhere')?.state).toBe('elsewhere')
    // Until the next look the lag is what it was before the batch.
    await expect.poll(() => shown(service)?.lag.rows).toBe('0')
    await expect.poll(() => service.view.status().health).toBe('ok')
    const status = service.view.status()
    expect(status).toMatchObject({
      ...{ version: '1.2.3', database: database.name, table: 'log_scores', health: 'ok', cleanup: null },
      service: { pid: process.pid, role: 'leader', lock: { name: config.lockName }, reload: null },
      mysql: { reachable: true, error: null, pool: { waiting: 0 } },
      newest: { id: '100' },
    })
    expect(shown(service)).toMatchObject({
      ...{ health: 'ok', mark: '100', lag: { rows: '0', ms: 0 }, batch: null, error: null, failuresInARow: 0 },
      lastBatch: { rows: 100, bytes: 4_000, identity: 'shelf 1' },
      policy: { minRows: 1, maxRows: 1_000, intervalMs: 0 },
    })
    expect(Date.parse(shown(service)?.lastSuccessAt ?? '')).toBeGreaterThan(Date.now() - 60_000)
    expect(JSON.parse(JSON.stringify(status))).toEqual(status)
    expect(service.view.history().length).toBeGreaterThan(0)
  })

  test('shows a failure with its hint, and its end', async () => {
    shelf.failing = true
    const service = start()
    await expect.poll(() => shown(service)?.failuresInARow).toBeGreaterThan(1)
    expect(shown(service)).toMatchObject({
      ...{ state: 'failing', health: 'failing', lag: { rows: '100' }, mark: null },
      error: { code: 'SHELF_FULL', message: 'the shelf is full', hint: 'Buy another one.' },
    })
    expect(service.view.status().health).toBe('failing')
    shelf.failing = false
    await expect.poll(() => shown(service)?.mark, { timeout: 10_000 }).toBe('100')
    await expect.poll(() => shown(service)).toMatchObject({ health: 'ok', error: null, failuresInARow: 0 })
    expect(shelf.ids).toHaveLength(100)
  })

  test('tells of changes and events for as long as it is listened to', async () => {
    const service = start()
    let changes = 0
    const told: string[] = []
    const [endChanges, endEvents] = [
      service.view.onChange(() => {
        changes += 1
      }),
      service.view.onEvent(({ event }) => told.push(event)),
    ]
    await expect.poll(() => told).toContain('batch.done')
    await expect.poll(() => changes).toBeGreaterThan(0)
    endChanges()
    endEvents()
    const before = told.length
    await insertRows(connection, 'log_scores', generateRows({ rows: 10, firstId: 101n }))
    await expect.poll(() => shelf.ids.length).toBe(110)
    expect(told).toHaveLength(before)
  })

  test('shows what holds the cleaner up', async () => {
    await connection.query(
      "insert into log_scores_archive_status (archiver, modified_on) values ('cleanup', '2026-01-01')",
    )
    const service = start()
    await expect.poll(() => service.view.status().cleanup?.state).toBe('blocked')
    expect(service.view.status()).toMatchObject({
      health: 'failing',
      cleanup: { health: 'failing', blocked: { reason: 'no-mark', why: expect.stringContaining('elsewhere') } },
    })
  })

  test('shows for which restore the cleaner is held up: that was asked for, and fails nothing', async () => {
    await connection.query(
      "insert into log_scores_archive_status (archiver, modified_on) values ('cleanup', '2026-01-01')",
    )
    const own = await connect(database.address)
    await new CleanupHold(own, 'log_scores').place('the restore of last year')
    await disconnect(own)
    const service = start()
    await expect
      .poll(() => service.view.status().cleanup?.blocked)
      .toMatchObject({
        reason: 'held',
        why: expect.stringContaining('the restore of last year'),
        hint: expect.stringContaining('--resume-cleanup'),
      })
    expect(service.view.status().cleanup).toMatchObject({ state: 'throttled', health: 'late' })
  })

  test('without its lock it stops, and leads again when it has it', async () => {
    const service = start()
    await expect.poll(() => shown(service)?.mark).toBe('100')
    const [rows] = await connection.query<RowDataPacket[]>('select is_used_lock(?) as id', [config.lockName])
    await connection.query(`kill ${rows[0]?.id}`)
    await expect.poll(() => life.map(({ event }) => event)).toEqual(expect.arrayContaining(['service.lock-lost']))
    await expect.poll(() => life.at(-1)?.event).toBe('service.leading')
    await insertRows(connection, 'log_scores', generateRows({ rows: 10, firstId: 101n }))
    await expect.poll(() => shown(service)?.mark).toBe('110')
    expect(shelf.ids).toHaveLength(110)
    expect(events.map(({ event }) => event)).not.toContain('archiver.failed')
  })

  test('an unreachable MySQL: the status says when it is tried again', async () => {
    const settings = { ...database.address, password: 'wrong' }
    config = { ...config, database: new MySqlDatabase({ settings, lock: { name: config.lockName } }) }
    const service = start()
    await expect.poll(() => service.view.status().mysql.error?.code).toBe('MYSQL_ACCESS_DENIED')
    const { at, mysql } = service.view.status()
    expect(Date.parse(mysql.nextTryAt!)).toBeGreaterThan(Date.parse(mysql.error!.at))
    expect(Date.parse(mysql.nextTryAt!) - Date.parse(at)).toBeLessThanOrEqual(20_000)
  })

  test('the status from MySQL alone', async () => {
    const before = await statusFromMySql({ version: '1.2.3', config })
    expect(before).toMatchObject({
      service: null,
      health: 'late',
      mysql: { reachable: true, pool: null },
      newest: { id: '100' },
    })
    expect(before.archivers[0]).toMatchObject({ state: 'unknown', health: 'late', mark: null, lag: { rows: '100' } })
    expect(before.archivers[0]?.lag.ms).toBeGreaterThan(0)
    const service = start()
    await expect.poll(() => shown(service)?.mark).toBe('100')
    const after = await statusFromMySql({ version: '1.2.3', config })
    expect(after.archivers.find(({ archiver }) => archiver === 'shelf')).toMatchObject({
      ...{ health: 'ok', mark: '100', lag: { rows: '0', ms: 0 } },
      lastBatch: { rows: 100, identity: 'shelf 1' },
    })
  })

  test('and where MySQL cannot be asked', async () => {
    const settings = { ...database.address, password: 'wrong' }
    const unreachable = { ...config, database: new MySqlDatabase({ settings, lock: { name: config.lockName } }) }
    expect(await statusFromMySql({ version: '1.2.3', config: unreachable })).toMatchObject({
      ...{ service: null, health: 'failing', archivers: [] },
      mysql: { reachable: false, error: { code: 'MYSQL_ACCESS_DENIED', hint: expect.any(String) } },
    })
  })

  test('a standby shows what MySQL tells', async () => {
    const leader = start()
    await expect.poll(() => shown(leader)?.mark).toBe('100')
    const drain = new AbortController()
    const standby = new Service({
      ...{ version: '1.2.3', config, reload: async () => config, drain: drain.signal, stop: drain.signal },
      ...{ onEvent: () => undefined, onCleanup: () => undefined, onLife: () => undefined },
    })
    const standing = standby.run()
    await expect.poll(() => standby.view.status().service?.role).toBe('standby')
    await expect.poll(() => shown(standby)).toMatchObject({ state: 'unknown', mark: '100', lastBatch: { rows: 100 } })
    expect(standby.view.status().service?.lock.holder).toMatch(/connection \d+/)
    drain.abort()
    await standing
  })
})
