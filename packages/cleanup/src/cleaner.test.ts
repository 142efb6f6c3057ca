import { ArchiverError, leaseUntil } from '@archiver/core'
import { describeWithMySql } from '@archiver/testkit/vitest'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { CleanupOptions } from './options.js'
import { DAY_S, upTo, Workbench } from './testing/workbench.js'

await describeWithMySql('the cleaner', (database) => {
  let bench: Workbench
  beforeEach(async () => {
    bench = await Workbench.open(database)
  })
  afterEach(() => bench[Symbol.asyncDispose]())

  /** Ids 1 to 50 are old, 51 to 100 young. */
  async function someOld() {
    await bench.insert(50, 20)
    await bench.insert(50, 2, 51n)
  }

  test('deletes what is old, below every mark and archived, and nothing else', async () => {
    await someOld()
    await bench.archiveAll(100n)
    expect(await bench.clean()).toEqual({
      rows: 50,
      ranges: 1,
      kept: [],
      end: { why: 'marks', archiver: 'shelf', belowId: 100n },
    })
    expect(await bench.ids()).toEqual(upTo(100, 51))
  })

  test('keeps the row that a mark points to, and everything above it', async () => {
    await someOld()
    await bench.archiveAll(30n)
    await bench.clean()
    expect(await bench.ids()).toEqual(upTo(100, 30))
    expect(await bench.markOf('shelf')).toBe(30n)
  })

  test('goes by the lowest mark of all, configured here or not', async () => {
    await someOld()
    await bench.archiveAll(40n)
    await bench.mark('elsewhere', 10n)
    const { end } = await bench.clean()
    expect(end).toEqual({ why: 'marks', archiver: 'elsewhere', belowId: 10n })
    expect(await bench.ids()).toEqual(upTo(100, 10))
    expect(bench.eventsOf('cleanup.not-asked')).toMatchObject([{ archiver: 'elsewhere' }])
  })

  test('without an archiver nothing is deleted', async () => {
    await someOld()
    await bench.query(`delete from ${bench.table}_archive_status where archiver = 'shelf'`)
    expect((await bench.clean()).end).toEqual({ why: 'blocked', blocked: { reason: 'no-archiver' } })
    expect(await bench.ids()).toHaveLength(100)
  })

  test('without its own row it is an error that says how to turn it on', async () => {
    await bench.query(`delete from ${bench.table}_archive_status where archiver = 'cleanup'`)
    await expect(bench.clean()).rejects.toMatchObject({ code: 'ARCHIVER_OFF', hint: expect.stringMatching('cleanup') })
  })

  test('keeps rows whose ids an unfinished batch will read again', async () => {
    await someOld()
    await bench.archiveAll(40n)
    await bench.ledger.plan({ archiver: 'shelf', afterId: 20n, firstId: 21n, upToId: 40n })
    await bench.clean()
    expect(await bench.ids()).toEqual(upTo(100, 21))
  })

  test('holds every mark where it is from before it looks at the rows of a range until they are gone', async () => {
    await someOld()
    await bench.archiveAll(100n)
    const other = await database.connect()
    await other.beginTransaction()
    await other.query(`select id from ${bench.table} where id = 30 for update`)
    const cleaning = bench.clean()
    const waiting =
      "select 1 from information_schema.innodb_trx where trx_state = 'LOCK WAIT' and trx_mysql_thread_id = ?"
    // The server's answer stays as it was for whoever asks again within 0.1 s.
    const poll = { interval: 150, timeout: 5_000 }
    await expect.poll(() => bench.query(waiting, [bench.control.threadId]), poll).toHaveLength(1)
    const takeMarks = bench.query(
      `select * from ${bench.table}_archive_status where archiver = 'shelf' for update nowait`,
    )
    // MariaDB's answer, or MySQL's.
    await expect(takeMarks.catch(({ errno }) => errno)).resolves.toBeOneOf([1205, 3572])
    await other.rollback()
    await other.end()
    expect(await cleaning).toMatchObject({ rows: 50 })
  })

  test('passes over rows that are too young, and those of impossible times, and keeps them', async () => {
    await bench.insert(20, 20)
    const nowSeconds = Math.floor(Date.now() / 1000)
    await bench.insertRow({ id: 21n, tsSeconds: nowSeconds + 900 * DAY_S })
    await bench.insertRow({ id: 22n, tsSeconds: nowSeconds - DAY_S })
    await bench.insert(20, 20, 23n)
    await bench.archiveAll(42n)
    await bench.connection.query("set sql_mode = ''")
    await bench.query(`update ${bench.table} set ts = '0000-00-00' where id = 5`)
    await bench.query(`update ${bench.table} set ts = '1969-12-31 23:59:59' where id = 6`)
    for (const id of [5n, 6n]) bench.shelf().drop(id)
    await bench.clean()
    expect(await bench.ids()).toEqual([5, 6, 21, 22, 42])
    expect(bench.eventsOf('cleanup.odd-rows')).toMatchObject([{ rows: 2 }])
    expect((await bench.clean()).rows).toBe(0)
  })

  test('a row that becomes old among rows deleted before is deleted in its turn', async () => {
    await bench.insert(100, 20)
    await bench.query(`update ${bench.table} set ts = utc_timestamp() where id in (10, 20, 30)`)
    await bench.archiveAll(100n)
    await bench.clean()
    expect(await bench.ids()).toEqual([10, 20, 30, 100])
    await bench.query(`update ${bench.table} set ts = utc_timestamp() - interval 15 day where id = 20`)
    bench.shelf().change(20n, { tsSeconds: (await bench.sourceRows()).find(({ id }) => id === 20n)!.tsSeconds })
    await bench.clean()
    expect(await bench.ids()).toEqual([10, 30, 100])
  })

  test('ends at the first row that will be old enough within a day, so that what is deleted has no gaps', async () => {
    await bench.insert(20, 20)
    await bench.insert(1, 13.5, 21n)
    await bench.insert(20, 20, 22n)
    await bench.archiveAll(41n)
    expect(await bench.clean()).toMatchObject({ rows: 20, end: { why: 'young' } })
    expect(await bench.ids()).toEqual(upTo(41, 21))
  })

  test('ranges are of at most 5,000 ids, and a run ends at its maximum', async () => {
    await bench.insert(13_000, 30)
    await bench.archiveAll(13_000n)
    const result = await bench.clean({ policy: { maxRows: 11_000 } })
    expect(result).toEqual({ rows: 11_000, ranges: 3, kept: [], end: { why: 'full' } })
    expect(bench.eventsOf('cleanup.deleted').map(({ rows }) => rows)).toEqual([5_000, 5_000, 1_000])
    expect(await bench.ids()).toEqual(upTo(13_000, 11_001))
  })

  test('a run with gaps deletes exactly its maximum too', async () => {
    await bench.insert(9_000, 30)
    await bench.query(`delete from ${bench.table} where id % 3 <> 0 and id < 9000`)
    await bench.archiveAll(9_000n)
    expect(await bench.clean({ policy: { maxRows: 1_000 } })).toMatchObject({ rows: 1_000, end: { why: 'full' } })
    expect((await bench.ids())[0]).toBe(3_003)
  })

  test('much that is young ends the run without a look at the rest', async () => {
    await bench.insert(10, 20)
    await bench.insert(16_000, 2, 11n)
    await bench.insert(1, 20, 16_011n)
    await bench.archiveAll(16_011n)
    expect((await bench.clean({ policy: { verify: 'off' } })).end).toEqual({ why: 'young' })
    expect((await bench.ids())[0]).toBe(11)
  })

  test('ids beyond 2^53 are deleted as exactly', async () => {
    const far = 2n ** 60n
    await bench.insert(20, 20, far)
    await bench.archiveAll(far + 19n)
    expect((await bench.clean()).rows).toBe(19)
  })

  test('a mark that somebody gave to cleanup itself is taken away', async () => {
    await someOld()
    await bench.archiveAll(100n)
    await bench.mark('cleanup', 5n)
    expect((await bench.clean()).rows).toBe(50)
    expect(await bench.markOf('cleanup')).toBeNull()
  })

  test('nothing is deleted once the lease is gone', async () => {
    await someOld()
    await bench.archiveAll(100n)
    const leave = new AbortController()
    bench.shelf().onAsked = () => leave.abort(new ArchiverError('the lock was lost', { code: 'LOCK_LOST' }))
    await expect(bench.clean({ lease: leaseUntil(leave.signal) })).rejects.toMatchObject({ code: 'LOCK_LOST' })
    expect(await bench.ids()).toHaveLength(100)
  })

  test('asked to drain, it ends after the range in hand', async () => {
    await bench.insert(12_000, 30)
    await bench.archiveAll(12_000n)
    const leave = new AbortController()
    const onEvent: CleanupOptions['onEvent'] = ({ event }) => void (event === 'cleanup.deleted' && leave.abort())
    expect(await bench.clean({ drain: leave.signal, onEvent })).toMatchObject({ rows: 5_000, end: { why: 'drained' } })
  })

  test('clocks more than five minutes apart stop it, either way round', async () => {
    await someOld()
    await bench.archiveAll(100n)
    for (const apartMs of [-301_000, 301_000]) {
      const { end } = await bench.clean({ now: () => Date.now() + apartMs })
      expect(end).toMatchObject({ why: 'blocked', blocked: { reason: 'clock' } })
    }
    expect((await bench.clean({ now: () => Date.now() + 290_000 })).rows).toBe(50)
  })

  test('a run of no rows is one of one row', async () => {
    await someOld()
    await bench.archiveAll(100n)
    expect(await bench.clean({ policy: { maxRows: 0 } })).toMatchObject({ rows: 1, end: { why: 'full' } })
  })

  test('a retention below one day is one day', async () => {
    await bench.insert(10, 1.5)
    await bench.insert(10, 0.5, 11n)
    await bench.archiveAll(20n)
    await bench.clean({ policy: { retentionDays: 0 } })
    expect(await bench.ids()).toEqual(upTo(20, 11))
  })

  describe('is due', () => {
    const policy = { intervalMs: 240_000, reducedIntervalMs: 60_000, maxRows: 30 }
    const age = (seconds: number) =>
      bench.query(
        `update ${bench.table}_archive_status set modified_on = now() - interval ? second where archiver = 'cleanup'`,
        [seconds],
      )
    /** As if time went by: the stamp and the records with it. */
    const later = async (seconds: number) => {
      const by = 'interval ? second'
      await bench.query(
        `update ${bench.table}_archive_status set modified_on = modified_on - ${by} where archiver = 'cleanup'`,
        [seconds],
      )
      await bench.query(`update ${bench.table}_archive_batch set done_on = done_on - ${by}`, [seconds])
    }
    beforeEach(async () => {
      await someOld()
      await bench.archiveAll(100n)
      await age(250)
    })

    test('after the default interval', async () => {
      await age(200)
      const { end } = await bench.clean({ policy })
      expect(end).toMatchObject({ why: 'not-due', dueInMs: expect.closeTo(40_000, -4) })
    })

    test('after the reduced interval where the last run was full, in another process too', async () => {
      expect((await bench.clean({ policy })).end).toEqual({ why: 'full' })
      await later(55)
      expect((await bench.clean({ policy })).end).toMatchObject({ why: 'not-due' })
      await later(10)
      expect(await bench.clean({ policy })).toMatchObject({ rows: 20, end: { why: 'marks' } })
      await later(70)
      expect((await bench.clean({ policy })).end).toMatchObject({ why: 'not-due' })
      await later(180)
      expect(await bench.clean({ policy })).toMatchObject({ rows: 0, end: { why: 'marks' } })
    })

    test('after the default interval where another program ran since the full run', async () => {
      await bench.clean({ policy })
      await later(120)
      await age(60)
      expect((await bench.clean({ policy })).end).toMatchObject({ why: 'not-due' })
    })

    test('at once where the last run was held up', async () => {
      await bench.mark('late', null)
      expect((await bench.clean({ policy })).end).toMatchObject({ why: 'blocked' })
      await bench.mark('late', 90n)
      expect((await bench.clean({ policy })).rows).toBe(30)
    })

    test('records are kept for a month, and the last of them for ever', async () => {
      await bench.clean({ policy })
      await later(31 * DAY_S)
      await bench.clean({ policy })
      const records = await bench.query(`select last_id from ${bench.table}_archive_batch where archiver = 'cleanup'`)
      expect(records).toEqual([{ last_id: 50 }])
      await later(31 * DAY_S)
      expect((await bench.clean({ policy })).rows).toBe(0)
      expect(await bench.query(`select 1 from ${bench.table}_archive_batch where archiver = 'cleanup'`)).toHaveLength(1)
    })

    test('every run leaves a record of what it deleted', async () => {
      await bench.clean({ policy })
      const records = await bench.query(`select * from ${bench.table}_archive_batch where archiver = 'cleanup'`)
      expect(records).toMatchObject([{ state: 'done', first_id: 1, last_id: 30, row_count: 30, identity: 'full' }])
    })
  })
})
