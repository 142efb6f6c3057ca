import { leaseUntil } from '@archiver/core'
import type { EngineEvent } from '@archiver/core/engine'
import { runPass, storeLate } from '@archiver/core/engine'
import { createSourceTables, generateRows, insertRows } from '@archiver/testkit'
import { describeWithMySql } from '@archiver/testkit/vitest'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { connect, disconnect } from '../connect.js'
import { MySqlLedger } from '../ledger.js'
import { MySqlSource } from '../source.js'
import { ShelfArchiver } from './testing/shelf-archiver.js'

const ROWS = 95

await describeWithMySql('rows that are deleted from the source', (database) => {
  let connection: Connection
  let control: Awaited<ReturnType<typeof connect>>
  let tables = 0
  let table: string
  let shelf: ShelfArchiver
  let events: EngineEvent[]

  beforeEach(async () => {
    connection ??= await database.connect()
    control ??= await connect(database.address)
    table = `deleted_${tables++}`
    await createSourceTables(connection, { table, archivers: ['shelf'] })
    await insertRows(connection, table, generateRows({ rows: ROWS }))
    shelf = new ShelfArchiver()
    events = []
  })
  afterAll(async () => {
    await connection.end()
    await disconnect(control)
  })

  async function pass() {
    const ledger = new MySqlLedger(control, table)
    await ledger.prepare()
    await using source = new MySqlSource({ settings: database.address, table, pageRows: 7 })
    const retry = { attempts: 5, firstDelayMs: 1, maxDelayMs: 2 }
    const onEvent = (event: EngineEvent) => events.push(event)
    const open = async () => shelf
    return await runPass({ table, ledger, source, lease: leaseUntil(), open, onEvent, settleMs: 0, retry })
  }

  const remove = (where: string) => connection.query(`delete from ${table} where ${where}`)
  const setMark = (id: number | null) => connection.query(`update ${table}_archive_status set log_score_id = ?`, [id])
  const mark = async () => (await new MySqlLedger(control, table).status())[0]?.mark
  const ids = () => shelf.rows.map(({ id }) => Number(id))
  const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1)
  const deletedRows = () => events.flatMap((event) => (event.event === 'batch.deleted-rows' ? [event.rows] : []))

  async function crashAfterStore(): Promise<void> {
    shelf.afterStore = () => {
      throw new Error('crash')
    }
    await pass()
    shelf.afterStore = () => undefined
  }

  async function doneBatches() {
    const sql = `select row_count, last_id, identity from ${table}_archive_batch where state = 'done' order by id`
    return (await connection.query<RowDataPacket[]>(sql))[0]
  }

  test.each([
    ['in the middle', 'id in (7, 8, 20)', 3, 37],
    ['the first', 'id <= 9', 9, 31],
    ['the last', 'id between 31 and 40', 10, 30],
    ['all but one', 'id <= 40 and id <> 17', 39, 1],
  ])('%s, after they were stored and before they were marked: the batch is filed', async (_, where, gone, left) => {
    await crashAfterStore()
    await remove(where)
    expect((await pass()).failed).toEqual(new Map())
    expect(ids()).toEqual(upTo(ROWS))
    expect(deletedRows()).toEqual([gone])
    expect(await mark()).toBe(95n)
    expect((await doneBatches())[0]).toMatchObject({ row_count: left, identity: 'shelf' })
    await pass()
    expect(deletedRows()).toEqual([gone])
  })

  test('all of a batch: it is said once, the plan is taken back, and the rest is stored', async () => {
    await crashAfterStore()
    await remove('id <= 40')
    expect((await pass()).failed).toEqual(new Map())
    expect(ids()).toEqual(upTo(ROWS))
    expect(deletedRows()).toEqual([40])
    expect(await mark()).toBe(95n)
    await pass()
    expect(deletedRows()).toEqual([40])
  })

  test('all rows of the table: the next rows are stored as ever', async () => {
    await crashAfterStore()
    await remove('true')
    expect((await pass()).failed).toEqual(new Map())
    await insertRows(connection, table, generateRows({ rows: 20, firstId: 96n }))
    expect((await pass()).failed).toEqual(new Map())
    expect(ids()).toEqual([...upTo(40), ...upTo(20).map((i) => 95 + i)])
    expect(await mark()).toBe(115n)
  })

  test('while they are stored, the last ones too: the mark is put at the last row that is left', async () => {
    shelf.policy = { minRows: 1, maxRows: 200, intervalMs: 0 }
    shelf.afterStore = async () => void (await remove('id in (3, 90, 91, 92, 93, 94, 95)'))
    expect((await pass()).failed).toEqual(new Map())
    expect(await mark()).toBe(89n)
    expect(await doneBatches()).toMatchObject([{ row_count: 95, last_id: 95 }])
    shelf.afterStore = () => undefined
    events = []
    await pass()
    expect(events).toMatchObject([{ event: 'archiver.skipped' }])
    await insertRows(connection, table, generateRows({ rows: 20, firstId: 96n }))
    await pass()
    expect(ids()).toEqual(upTo(115))
    expect(await mark()).toBe(115n)
    expect(events.map(({ event }) => event)).not.toContain('mark.moved')
  })

  test('all of them while they are stored: the mark stays, and nothing is stored twice', async () => {
    shelf.afterStore = async () => void (await remove('id <= 40'))
    shelf.policy = { minRows: 56, maxRows: 40, intervalMs: 0 }
    expect((await pass()).failed).toEqual(new Map())
    expect(await mark()).toBeNull()
    shelf.afterStore = () => undefined
    shelf.policy = { minRows: 1, maxRows: 40, intervalMs: 0 }
    expect((await pass()).failed).toEqual(new Map())
    expect(ids()).toEqual(upTo(ROWS))
    expect(await mark()).toBe(95n)
  })

  test('between the look-up and the commit: the batch is looked up again', async () => {
    await crashAfterStore()
    let times = 0
    shelf.afterLookUp = async () => {
      if (++times === 1) await remove('id in (12, 40)')
    }
    expect((await pass()).failed).toEqual(new Map())
    expect(times).toBe(2)
    expect(ids()).toEqual(upTo(ROWS))
    expect(deletedRows()).toEqual([2])
    expect((await doneBatches())[0]).toMatchObject({ row_count: 38 })
  })

  test('and others come in their place between the look-up and the commit: they are stored', async () => {
    await remove('id = 30')
    await crashAfterStore()
    let times = 0
    shelf.afterLookUp = async () => {
      if (++times > 1) return
      await remove('id = 12')
      await insertRows(connection, table, generateRows({ rows: 1, firstId: 30n }))
    }
    expect((await pass()).failed).toEqual(new Map())
    expect(ids().sort((a, b) => a - b)).toEqual(upTo(ROWS))
  })

  test('what the archive lacked, between the look-up and the store: the rest is looked up again, and filed', async () => {
    shelf.beforeChunk = (chunk) => {
      if (chunk.id[0]! > 30n) throw new Error('crash')
    }
    await pass()
    shelf.beforeChunk = () => undefined
    const stored = ids().length
    shelf.afterLookUp = async () => void (await remove(`id > ${stored} and id <= 40`))
    expect((await pass()).failed).toEqual(new Map())
    expect(ids()).toEqual([...upTo(stored), ...upTo(ROWS).slice(40)])
    expect((await doneBatches())[0]).toMatchObject({ row_count: stored, identity: 'shelf' })
  })

  test.each([null, 1, 46])('before the mark is set back to %s: nothing is stored twice', async (to) => {
    await pass()
    await remove('id % 3 = 0 or id between 60 and 80')
    await setMark(to)
    expect((await pass()).failed).toEqual(new Map())
    expect(ids()).toEqual(upTo(ROWS))
    expect(await mark()).toBe(95n)
    expect(deletedRows().length).toBeGreaterThan(0)
  })

  test('after the mark was set back, while that is checked: nothing is stored twice', async () => {
    await pass()
    await setMark(null)
    let times = 0
    shelf.afterLookUp = async () => {
      if (++times <= 2) await remove(`id in (${10 * times}, ${30 + 10 * times}, 95)`)
    }
    expect((await pass()).failed).toEqual(new Map())
    expect(ids()).toEqual(upTo(ROWS))
    expect(await mark()).toBe(94n)
  })

  test('of a late range: the rows that are left are stored', async () => {
    await pass()
    shelf.rows.splice(20, 10)
    await remove('id in (15, 16, 25)')
    const ledger = new MySqlLedger(control, table)
    await using source = new MySqlSource({ settings: database.address, table })
    const onEvent = (event: EngineEvent) => events.push(event)
    const late = { archiver: shelf, table, ledger, source, lease: leaseUntil(), settleMs: 0, onEvent }
    expect(await storeLate(late, { afterId: 10n, upToId: 40n })).toBe(9)
    expect(deletedRows()).toEqual([2])
  })

  test('a row that the source has of another server is not explained, though others were deleted', async () => {
    await crashAfterStore()
    await remove('id in (1, 2)')
    await connection.query(`update ${table} set server_id = server_id + 1 where id = 20`)
    expect((await pass()).failed.get('shelf')).toMatchObject({ code: 'SHELF_FOREIGN' })
    expect(await mark()).toBeNull()
  })

  test('an id that the source has not handed out is not explained', async () => {
    await crashAfterStore()
    // As after a failover to a replica that lagged: rows 31 to 95 were never there.
    await remove('id > 30')
    await connection.query(`alter table ${table} auto_increment = 31`)
    const { failed } = await pass()
    expect(failed.get('shelf')).toMatchObject({
      message: expect.stringContaining('10 rows (id 31, 32, 33, 34, 35, …)'),
    })
    expect(await mark()).toBeNull()
  })
})
