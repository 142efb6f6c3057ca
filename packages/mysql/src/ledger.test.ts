import type { BatchRecord } from '@archiver/core'
import { createSourceTables, generateRows, insertRows } from '@archiver/testkit'
import { describeWithMySql } from '@archiver/testkit/vitest'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { connect, disconnect } from './connect.js'
import { MySqlLedger } from './ledger.js'

const range = { archiver: 'fileavro', afterId: 0n, firstId: 1n, upToId: 20n }
const record: BatchRecord = {
  rows: 20,
  firstId: 1n,
  lastId: 20n,
  minTsSeconds: 1,
  maxTsSeconds: 2,
  idHash: Buffer.alloc(32, 7),
  bytes: 900,
  identity: '1-1.avro',
}

await describeWithMySql('ledger', async (database) => {
  let connection: Connection
  let ledger: MySqlLedger
  let control: Awaited<ReturnType<typeof connect>>
  let tables = 0
  let table: string

  beforeEach(async () => {
    connection ??= await database.connect()
    control ??= await connect(database.address)
    table = `scores_${tables++}`
    await createSourceTables(connection, { table, archivers: ['fileavro', 'clickhouse'] })
    await insertRows(connection, table, generateRows({ rows: 50 }))
    ledger = new MySqlLedger(control, table)
    await ledger.prepare()
  })
  afterAll(async () => {
    await connection.end()
    await disconnect(control)
  })

  const markOf = async (archiver: string) => (await ledger.status()).find((s) => s.archiver === archiver)?.mark
  const batches = async () => (await connection.query<RowDataPacket[]>(`select * from ${table}_archive_batch`))[0]

  test('a new archiver has no mark and nothing planned', async () => {
    const status = await ledger.status()
    expect(status.map(({ archiver, mark }) => [archiver, mark])).toEqual([
      ['fileavro', null],
      ['clickhouse', null],
    ])
    expect(status[0]!.ageMs).toBeLessThan(60_000)
    expect(await ledger.planned('fileavro')).toBeNull()
  })

  test('a plan is on record, and an archiver has one at most', async () => {
    const batch = await ledger.plan(range)
    expect(batch).toMatchObject({ ...range, table })
    expect(await ledger.planned('fileavro')).toEqual(batch)
    await expect(ledger.plan(range)).rejects.toThrow(/Duplicate entry/)
    await ledger.plan({ ...range, archiver: 'clickhouse' })
  })

  test('a commit moves the mark and files the batch', async () => {
    await ledger.commit(await ledger.plan(range), record, { from: 0n, to: 20n })
    expect(await markOf('fileavro')).toBe(20n)
    expect(await ledger.planned('fileavro')).toBeNull()
    expect(await batches()).toMatchObject([
      { state: 'done', after_id: 0, first_id: 1, last_id: 20, up_to_id: 20, row_count: 20, identity: '1-1.avro' },
    ])
    const next = await ledger.plan({ ...range, afterId: 20n, firstId: 21n, upToId: 40n })
    await ledger.commit(next, { ...record, firstId: 21n, lastId: 40n }, { from: 20n, to: 40n })
    expect(await markOf('fileavro')).toBe(40n)
  })

  test('a mark that was set back to none stays so while a batch behind it is filed', async () => {
    await ledger.commit(await ledger.plan({ ...range, afterId: 5n }), record, { from: 0n, to: 0n })
    expect(await markOf('fileavro')).toBeNull()
    expect(await batches()).toMatchObject([{ state: 'done', last_id: 20 }])
  })

  test('a mark that somebody moved stops the commit whole', async () => {
    const batch = await ledger.plan(range)
    await connection.query(`update ${table}_archive_status set log_score_id = 5 where archiver = 'fileavro'`)
    await expect(ledger.commit(batch, record, { from: 0n, to: 20n })).rejects.toMatchObject({ code: 'MARK_MOVED' })
    expect(await markOf('fileavro')).toBe(5n)
    expect(await ledger.planned('fileavro')).toEqual(batch)
  })

  test.each([
    ['id = 20', 19n],
    ['id between 11 and 20', 10n],
    ['id <= 20', 0n],
  ])('where the last rows were deleted (%s), the mark moves to the last row that is left', async (deleted, mark) => {
    const batch = await ledger.plan(range)
    await connection.query(`delete from ${table} where ${deleted}`)
    expect(await ledger.commit(batch, record, { from: 0n, to: 20n })).toBe(mark)
    expect(await markOf('fileavro')).toBe(mark === 0n ? null : mark)
    expect(await ledger.planned('fileavro')).toBeNull()
    expect(await batches()).toMatchObject([{ state: 'done', last_id: 20, row_count: 20 }])
    const next = await ledger.plan({ ...range, afterId: 20n, firstId: 21n, upToId: 40n })
    await ledger.commit(next, { ...record, firstId: 21n, lastId: 40n }, { from: mark, to: 40n })
    expect(await markOf('fileavro')).toBe(40n)
  })

  test('a commit waits for a transaction that deletes the row of the mark, and does as that one ends', async () => {
    for (const [end, mark] of [
      ['rollback', 20n],
      ['commit', 39n],
    ] as const) {
      const batch = await ledger.plan({ ...range, upToId: mark === 20n ? 20n : 40n })
      const deleter = await database.connect()
      await deleter.beginTransaction()
      await deleter.query(`delete from ${table} where id = ?`, [Number(batch.upToId)])
      const from = (await markOf('fileavro')) ?? 0n
      const committing = ledger.commit(batch, { ...record, lastId: batch.upToId }, { from, to: batch.upToId })
      await isWaiting(connection)
      await deleter[end]()
      expect(await committing).toBe(mark)
      await deleter.end()
    }
  })

  test('a plan is shortened, and withdrawn', async () => {
    const batch = await ledger.plan(range)
    expect(await ledger.shorten(batch, 9n)).toEqual({ ...batch, upToId: 9n })
    expect(await ledger.planned('fileavro')).toEqual({ ...batch, upToId: 9n })
    await ledger.withdraw(batch)
    expect(await batches()).toEqual([])
  })

  test('ids beyond 2^53 are exact', async () => {
    const far = 2n ** 63n + 1n
    await insertRows(connection, table, generateRows({ rows: 3, firstId: far }))
    await ledger.commit(
      await ledger.plan({ ...range, firstId: far, upToId: far + 1n }),
      { ...record, lastId: far },
      { from: 0n, to: far },
    )
    expect(await markOf('fileavro')).toBe(far)
    await ledger.commit(
      await ledger.plan({ ...range, afterId: far, firstId: far + 1n, upToId: far + 1n }),
      { ...record, lastId: far + 1n },
      { from: far, to: far + 1n },
    )
    expect(await markOf('fileavro')).toBe(far + 1n)
  })

  test('no status table: the SQL to run is in the hint', async () => {
    const lost = new MySqlLedger(control, 'log_scores_test')
    await expect(lost.prepare()).rejects.toMatchObject({
      code: 'STATUS_TABLE_MISSING',
      hint: expect.stringContaining('create table if not exists `log_scores_test_archive_status`'),
    })
  })

  describe('two at work on one connection', () => {
    const other = { ...range, archiver: 'clickhouse' }
    /** Another transaction has the status row of fileavro, until it is let go. */
    async function holdRow(): Promise<() => Promise<void>> {
      const holder = await database.connect()
      await holder.beginTransaction()
      await holder.query(`select * from ${table}_archive_status where archiver = 'fileavro' for update`)
      return async () => {
        await holder.rollback()
        await holder.end()
      }
    }

    test('what one plans while the commit of another is under way and fails stays planned', async () => {
      const second = new MySqlLedger(control, table)
      const batch = await ledger.plan(range)
      const letGo = await holdRow()
      const failing = ledger.commit(batch, record, { from: 7n, to: 20n })
      const planning = second.plan(other)
      await letGo()
      await expect(failing).rejects.toMatchObject({ code: 'MARK_MOVED' })
      expect(await second.planned('clickhouse')).toEqual(await planning)
      expect(await batches()).toHaveLength(2)
    })

    test('two commits at once: neither ends the transaction of the other', async () => {
      const second = new MySqlLedger(control, table)
      const [mine, theirs] = [await ledger.plan(range), await second.plan(other)]
      const letGo = await holdRow()
      const failing = ledger.commit(mine, record, { from: 7n, to: 20n })
      const committing = second.commit(theirs, record, { from: 0n, to: 20n })
      await letGo()
      await expect(failing).rejects.toMatchObject({ code: 'MARK_MOVED' })
      await committing
      expect([await markOf('fileavro'), await markOf('clickhouse')]).toEqual([null, 20n])
      expect((await batches()).map(({ state }) => state).sort()).toEqual(['done', 'planned'])
    })

    test('any number of both, each transaction is whole on the server', async () => {
      const names = Array.from({ length: 8 }, (_, i) => `archiver_${i}`)
      const values = names.map((name) => `('${name}')`).join(', ')
      await connection.query(`insert into ${table}_archive_status (archiver) values ${values}`)
      await Promise.all(
        names.map(async (archiver, i) => {
          const mine = new MySqlLedger(control, table)
          for (let from = 0n; from < 50n; from += 10n) {
            const batch = await mine.plan({ archiver, afterId: from, firstId: from + 1n, upToId: from + 10n })
            // Every third commit fails once, and is rolled back.
            const wrong = (BigInt(i) + from / 10n) % 3n === 0n
            const done = { ...record, firstId: from + 1n, lastId: from + 10n, rows: 10 }
            if (wrong) await mine.commit(batch, done, { from: from + 99n, to: from + 100n }).catch(() => undefined)
            await mine.commit(batch, done, { from, to: from + 10n })
          }
        }),
      )
      for (const name of names) expect(await markOf(name)).toBe(50n)
      expect((await batches()).map(({ state }) => state)).toEqual(Array(40).fill('done'))
    })
  })
})

/**
 * Resolves once a transaction waits for a row lock. InnoDB renews innodb_trx only where nobody has read it for 100 ms: who
 * asks more often gets the same answer every time.
 */
async function isWaiting(connection: Connection): Promise<void> {
  const query = "select 1 from information_schema.innodb_trx where trx_state = 'LOCK WAIT'"
  const waiting = async (): Promise<number> => (await connection.query<RowDataPacket[]>(query))[0].length
  await expect.poll(waiting, { interval: 300, timeout: 30_000 }).toBe(1)
}
