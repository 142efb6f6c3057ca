import { setTimeout as delay } from 'node:timers/promises'
import { describeWithMySql } from '@archiver/testkit/vitest'
import type { Connection, RowDataPacket } from 'mysql2'
import { expect, onTestFinished, test } from 'vitest'
import { run } from './connect.js'
import { ConnectionPool } from './pool.js'
import type { MySqlSettings } from './settings.js'
import { MySqlSource } from './source.js'
import { FragileLink } from './testing/fragile-link.js'

await describeWithMySql('the connections for reading', (database) => {
  const open = (settings: Partial<MySqlSettings> = {}) => {
    const pool = new ConnectionPool({ ...database.address, ...settings }, false)
    onTestFinished(() => pool[Symbol.asyncDispose]())
    return pool
  }

  async function linked(): Promise<FragileLink> {
    const link = await FragileLink.to(database.address.port)
    onTestFinished(() => link[Symbol.asyncDispose]())
    return link
  }

  test('are read committed, and are used again', async () => {
    const pool = open()
    const first = await pool.checkOut()
    expect(await isolationOf(first)).toBe('READ-COMMITTED')
    pool.giveBack(first, true)
    expect(await pool.checkOut()).toBe(first)
    expect(pool.state).toEqual({ open: 1, idle: 0, waiting: 0 })
  })

  test('are closed after db_max_idle_time, with as many idle ones allowed as there may be', async () => {
    const pool = open({ maxIdleTimeMs: 400 })
    const connections = await Promise.all([pool.checkOut(), pool.checkOut(), pool.checkOut()])
    for (const connection of connections) pool.giveBack(connection, true)
    expect(pool.state).toMatchObject({ open: 3, idle: 3 })
    await expect.poll(() => pool.state, { timeout: 10_000 }).toEqual({ open: 0, idle: 0, waiting: 0 })
  })

  test('are closed after db_max_lifetime: idle ones, and one in use when it is returned', async () => {
    const pool = open({ maxLifetimeMs: 400 })
    const [used, idle] = await Promise.all([pool.checkOut(), pool.checkOut()])
    pool.giveBack(idle, true)
    await expect.poll(() => pool.state.idle, { timeout: 10_000 }).toBe(0)
    expect(pool.state.open).toBe(1)
    pool.giveBack(used, true)
    expect(pool.state.open).toBe(0)
  })

  test('are as many as allowed; who comes then waits for one', async () => {
    const pool = open({ maxOpenConnections: 2 })
    const [one] = await Promise.all([pool.checkOut(), pool.checkOut()])
    const third = pool.checkOut()
    await expect.poll(() => pool.state.waiting).toBe(1)
    pool.giveBack(one, true)
    expect(await third).toBe(one)
  })

  test('one that is killed while it is idle is not handed out again', async () => {
    const pool = open()
    const killed = await pool.checkOut()
    pool.giveBack(killed, true)
    const killer = await database.connect()
    await killer.query(`kill ${killed.threadId}`)
    await killer.end()
    await expect.poll(() => pool.state.open, { timeout: 10_000 }).toBe(0)
    await run(await pool.checkOut(), 'select 1')
  })

  test('a silent one fails its statement after db_read_timeout, and the next read has another', async () => {
    const link = await linked()
    const pool = open({ port: link.port, readTimeoutMs: 600 })
    const silent = await pool.checkOut()
    link.silence()
    const failed = expect(run(silent, 'select 1')).rejects.toThrow(
      'did not answer a statement for 0.6 s (db_read_timeout)',
    )
    await failed
    pool.giveBack(silent, true)
    await run(await pool.checkOut(), 'select 1')
    expect(pool.state.open).toBe(1)
  })

  test('db_read_timeout leaves idle connections alone, and statements that send rows', async () => {
    const pool = open({ readTimeoutMs: 600 })
    const connection = await pool.checkOut()
    await delay(1_500)
    await run(connection, 'select 1')
    pool.giveBack(connection, true)
    expect(await pool.checkOut()).toBe(connection)
  })

  test('one that fell silent while it was idle is found before a read uses it', async () => {
    const link = await linked()
    const pool = open({ port: link.port, readTimeoutMs: 1_000 })
    const silent = await pool.checkOut()
    pool.giveBack(silent, true)
    link.silence()
    // As idle as a connection has to be for the check.
    await delay(10_500)
    await run(await pool.checkOut(), 'select 1')
    expect(pool.state.open).toBe(1)
  }, 60_000)

  test('a read of a source over silent connections ends, and can be repeated', async () => {
    const link = await linked()
    const admin = await database.connect()
    await admin.query('create table read_silent (id bigint unsigned primary key)')
    await admin.end()
    const settings = { ...database.address, port: link.port, readTimeoutMs: 600 }
    await using source = new MySqlSource({ settings, table: 'read_silent' })
    expect(await source.maxId()).toBe(null)
    link.silence()
    await expect(source.maxId()).rejects.toMatchObject({ retryable: true, message: /db_read_timeout/ })
    expect(await source.maxId()).toBe(null)
  })
})

function isolationOf(connection: Connection): Promise<string> {
  const sql = "show session variables where variable_name in ('tx_isolation', 'transaction_isolation')"
  return new Promise((resolve, reject) =>
    connection.query<RowDataPacket[]>(sql, (error, rows) => (error ? reject(error) : resolve(String(rows[0]?.Value)))),
  )
}
