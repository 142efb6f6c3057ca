import type { ArchiveReader, IdRange } from '@archiver/core'
import { ArchiverError, chunksFromRows, digestOf, leaseUntil, RowError, readerOf } from '@archiver/core'
import type { EngineEvent } from '@archiver/core/engine'
import { type PassOptions, runPass } from '@archiver/core/engine'
import { createSourceTables, generateRows, insertRows } from '@archiver/testkit'
import { describeWithMySql } from '@archiver/testkit/vitest'
import type { Connection } from 'mysql2/promise'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connect, disconnect } from '../connect.js'
import { MySqlLedger } from '../ledger.js'
import { MySqlSource } from '../source.js'
import { ShelfArchiver } from './testing/shelf-archiver.js'

await describeWithMySql('a pass', (database) => {
  let connection: Connection
  let control: Awaited<ReturnType<typeof connect>>
  let tables = 0
  let table: string
  let shelf: ShelfArchiver
  let events: EngineEvent[]

  beforeEach(async () => {
    connection ??= await database.connect()
    control ??= await connect(database.address)
    table = `scores_${tables++}`
    await createSourceTables(connection, { table, archivers: ['shelf'] })
    await insertRows(connection, table, generateRows({ rows: 95 }))
    shelf = new ShelfArchiver()
    events = []
  })
  afterAll(async () => {
    await connection.end()
    await disconnect(control)
  })

  async function pass(options: Partial<PassOptions> = {}) {
    const ledger = new MySqlLedger(control, table)
    await ledger.prepare()
    await using source = new MySqlSource({ settings: database.address, table, pageRows: 7 })
    const open = async () => shelf
    const onEvent = (event: EngineEvent) => events.push(event)
    return await runPass({ table, ledger, source, lease: leaseUntil(), open, onEvent, settleMs: 0, ...options })
  }

  const mark = async () => (await new MySqlLedger(control, table).status()).find((s) => s.archiver === 'shelf')?.mark
  const ids = () => shelf.rows.map(({ id }) => Number(id))
  const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1)

  test('stores every row in batches of at most the maximum, and marks each', async () => {
    expect(await pass()).toMatchObject({ rows: 95, failed: new Map() })
    expect(ids()).toEqual(upTo(95))
    expect(shelf.batches.map(({ afterId, upToId }) => [afterId, upToId])).toEqual([
      [0n, 40n],
      [40n, 80n],
      [80n, 95n],
    ])
    expect(await mark()).toBe(95n)
    expect(await pass()).toMatchObject({ rows: 0 })
  })

  test('leaves fewer rows than the minimum waiting', async () => {
    shelf.policy = { minRows: 20, maxRows: 40, intervalMs: 0 }
    await pass()
    expect(ids()).toEqual(upTo(80))
    expect(await mark()).toBe(80n)
  })

  test('waits out the interval since the mark last moved', async () => {
    shelf.policy = { minRows: 10, maxRows: 40, intervalMs: 3_600_000 }
    await pass()
    expect(ids()).toEqual([])
    expect(events).toMatchObject([
      { event: 'archiver.skipped', why: expect.stringMatching(/next due in 3(600|59\d) s/) },
    ])
    await connection.query(`update ${table}_archive_status set modified_on = now() - interval 2 hour`)
    await pass()
    expect(ids()).toEqual(upTo(95))
  })

  test('does not create again the table of an archive that has held rows', async () => {
    await pass()
    shelf.rows.splice(0)
    await insertRows(connection, table, generateRows({ rows: 10, firstId: 101n }))
    shelf.statements = ['create table shelf']
    const { failed } = await pass()
    expect(failed.get('shelf')).toMatchObject({
      code: 'ARCHIVE_MISSING',
      message: `shelf has stored rows up to id 95, but the table ${table} of the archive does not exist`,
    })
    expect(shelf.statements).toHaveLength(1)
    await connection.query(`update ${table}_archive_status set log_score_id = null`)
    expect(await pass()).toMatchObject({ rows: 105, failed: new Map() })
    expect(shelf.statements).toEqual([])
  })

  test('creates the table of an archive whose mark was set before anything was stored', async () => {
    shelf.statements = ['create table shelf']
    await connection.query(`update ${table}_archive_status set log_score_id = 50`)
    expect(await pass()).toMatchObject({ rows: 40, failed: new Map() })
  })

  test('a failed archiver is named and does not stop the rest', async () => {
    await connection.query(`insert into ${table}_archive_status (archiver) values ('broken')`)
    const open = async (name: string) => {
      if (name === 'broken') throw new ArchiverError('cannot be made', { code: 'TEST' })
      return shelf
    }
    const { failed } = await pass({ open })
    expect([...failed.keys()]).toEqual(['broken'])
    expect(ids()).toEqual(upTo(95))
  })

  test('--only runs only that one, and fails for one that is not turned on', async () => {
    await connection.query(`insert into ${table}_archive_status (archiver) values ('other')`)
    const opened: string[] = []
    const open = async (name: string) => {
      opened.push(name)
      return shelf
    }
    const { failed } = await pass({ open, only: ['shelf', 'absent'] })
    expect(opened).toEqual(['shelf'])
    expect([...failed.keys()]).toEqual(['absent'])
  })

  test('a crash after the archive took the batch and before the commit stores nothing twice', async () => {
    shelf.afterStore = () => {
      throw new Error('crash')
    }
    expect((await pass()).failed.size).toBe(1)
    expect(await mark()).toBeNull()
    shelf.afterStore = () => undefined
    shelf.policy = { minRows: 1, maxRows: 11, intervalMs: 0 }
    await pass()
    expect(ids()).toEqual(upTo(95))
    expect(events).toContainEqual(expect.objectContaining({ event: 'batch.recovering', held: 'all' }))
    expect(await mark()).toBe(95n)
  })

  test('a crash in the middle of a batch leaves the rest to be stored', async () => {
    shelf.beforeChunk = (chunk) => {
      if (chunk.id[0]! > 50n) throw new Error('crash')
    }
    await pass()
    expect(await mark()).toBe(40n)
    shelf.beforeChunk = () => undefined
    await pass()
    expect(ids()).toEqual(upTo(95))
    expect(events).toContainEqual(expect.objectContaining({ event: 'batch.recovering', held: 'some' }))
  })

  test('a row that cannot be stored stops its archiver before that row', async () => {
    shelf.beforeChunk = (chunk) => {
      const unfit = chunk.id.subarray(0, chunk.rows).find((id) => id === 60n)
      if (unfit !== undefined) throw new RowError(unfit, 'score', 'is too large')
    }
    const { failed } = await pass()
    expect(failed.get('shelf')).toMatchObject({ code: 'ROW_UNFIT', id: 60n })
    expect(ids()).toEqual(upTo(59))
    expect(await mark()).toBe(59n)
    await pass()
    expect(ids()).toEqual(upTo(59))
    shelf.beforeChunk = () => undefined
    await pass()
    expect(ids()).toEqual(upTo(95))
  })

  test('a mark that somebody moves meanwhile is not overwritten', async () => {
    shelf.afterStore = async () => {
      await connection.query(`update ${table}_archive_status set log_score_id = 3 where archiver = 'shelf'`)
    }
    const { failed } = await pass()
    expect(failed.get('shelf')).toMatchObject({ code: 'MARK_MOVED' })
    expect(await mark()).toBe(3n)
  })

  test('nothing is committed once the lease is gone', async () => {
    const leave = new AbortController()
    shelf.afterStore = () => leave.abort(new ArchiverError('the lock was lost', { code: 'LOCK_LOST' }))
    await pass({ lease: leaseUntil(leave.signal) })
    expect(await mark()).toBeNull()
  })

  test('an empty table is nothing to do', async () => {
    await connection.query(`delete from ${table}`)
    expect(await pass()).toMatchObject({ rows: 0, failed: new Map() })
  })

  describe('ids that are handed out and not yet committed', () => {
    let late: Connection
    beforeEach(async () => {
      late = await database.connect()
      await late.query(`delete from ${table} where id = 50`)
      await late.beginTransaction()
      shelf.policy = { minRows: 1, maxRows: 40, intervalMs: 0 }
    })
    afterEach(() => late.end())
    const insert = () => insertRows(late, table, generateRows({ rows: 1, firstId: 50n }))

    test('end the batch, and are stored once they are there', async () => {
      await insert()
      await pass()
      expect(ids()).toEqual(upTo(49))
      await late.commit()
      await pass()
      expect(ids()).toEqual(upTo(95))
    })

    test('are forgotten once they are rolled back', async () => {
      await insert()
      await pass()
      await late.rollback()
      await pass()
      expect(ids()).toEqual(upTo(95).filter((id) => id !== 50))
    })

    test('that are inserted within the settle window are stored in their place', async () => {
      const passing = pass({ settleMs: 500 })
      await insert()
      await late.commit()
      await passing
      await pass()
      expect(ids()).toEqual(upTo(95))
    })

    test.each([
      ['an archive that takes whole batches', true],
      ['an archive that keeps what it was sent', false],
    ])('and inserted after their hole was looked at first: stored once, in %s', async (_, whole) => {
      shelf.whole = whole
      let inserted = false
      shelf.beforeChunk = async (chunk) => {
        if (chunk.id[0]! <= 50n || inserted) return
        inserted = true
        await insert()
      }
      const onEvent = (event: EngineEvent) => {
        events.push(event)
        if (event.event === 'archiver.retrying' || event.event === 'batch.shortened') void late.commit()
      }
      shelf.policy = { minRows: 1, maxRows: 200, intervalMs: 0 }
      const retry = { attempts: 20, firstDelayMs: 5, maxDelayMs: 20 }
      await pass({ settleMs: 300, retry, onEvent })
      await pass()
      expect(ids().sort((a, b) => a - b)).toEqual(upTo(95))
      expect(await mark()).toBe(95n)
    })

    test('leave too few rows waiting rather than make a small batch', async () => {
      await insert()
      shelf.policy = { minRows: 60, maxRows: 100, intervalMs: 0 }
      shelf.whole = true
      await pass()
      expect([ids(), await mark()]).toEqual([[], null])
      await late.commit()
      await pass()
      expect(ids()).toEqual(upTo(95))
    })
  })

  test('an old hole is waited for once, and never on an idle table', async () => {
    await connection.query(`delete from ${table} where id between 20 and 29`)
    const startedMs = performance.now()
    await pass({ settleMs: 300 })
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(300)
    expect(ids()).toHaveLength(85)
    const idleMs = performance.now()
    await pass({ settleMs: 60_000 })
    expect(performance.now() - idleMs).toBeLessThan(60_000)
  })

  test('what fails for reasons that pass is tried again, and nothing is stored twice', async () => {
    let failures = 3
    shelf.beforeChunk = (chunk) => {
      if (chunk.id[0]! > 20n && failures-- > 0) throw new ArchiverError('reset', { code: 'TEST', retryable: true })
    }
    const { failed } = await pass({ retry: { attempts: 5, firstDelayMs: 1, maxDelayMs: 2 } })
    expect(failed.size).toBe(0)
    expect(ids()).toEqual(upTo(95))
    expect(events.filter(({ event }) => event === 'archiver.retrying')).toHaveLength(3)
  })

  test('and given up after the last try', async () => {
    shelf.beforeChunk = () => {
      throw new ArchiverError('reset', { code: 'TEST', retryable: true })
    }
    const { failed } = await pass({ retry: { attempts: 3, firstDelayMs: 1, maxDelayMs: 2 } })
    expect(failed.get('shelf')).toMatchObject({ code: 'TEST' })
    expect(events.filter(({ event }) => event === 'archiver.retrying')).toHaveLength(2)
  })

  test('asked to drain, it finishes the batch in hand and begins no other', async () => {
    const leave = new AbortController()
    shelf.beforeChunk = () => leave.abort()
    await pass({ drain: leave.signal })
    expect(ids()).toEqual(upTo(40))
    expect(await mark()).toBe(40n)
  })

  test('a batch that another program has overtaken is given up, unless some of it is stored', async () => {
    shelf.beforeChunk = () => {
      throw new Error('crash')
    }
    await pass()
    await connection.query(`update ${table}_archive_status set log_score_id = 30 where archiver = 'shelf'`)
    shelf.beforeChunk = () => undefined
    await pass()
    expect(ids()).toEqual(upTo(95).slice(30))
    expect(events.map(({ event }) => event)).toContain('batch.superseded')
  })

  describe('above a mark that another program has set', () => {
    const read = async function* (_: string, { afterId, upToId }: IdRange) {
      yield* chunksFromRows(shelf.rows.filter(({ id }) => id > afterId && id <= upToId))
    }

    /** As if another program had stored all rows and marked some of them. */
    async function storedElsewhere(marked: number | null, reader: Partial<ArchiveReader>): Promise<void> {
      await pass()
      await connection.query(`delete from ${table}_archive_batch`)
      await connection.query(`update ${table}_archive_status set log_score_id = ?`, [marked])
      shelf.batches.length = 0
      shelf.reader = {
        layout: 'table',
        digest: (name, range, signal) => digestOf(readerOf(shelf).read(name, range, signal)),
        read,
        // The engine looks for no certain rows.
        scan: (name, query, signal) => readerOf(shelf).read(name, query, signal),
        ...reader,
      }
    }

    test.each([null, 20])(
      '%s: rows that it has stored and not marked are one batch, and not stored again',
      async (marked) => {
        await storedElsewhere(marked, {})
        await pass()
        expect(ids()).toEqual(upTo(95))
        expect(shelf.batches).toEqual([])
        expect(await mark()).toBe(95n)
        expect(events.filter(({ event }) => event === 'batch.recovering')).toMatchObject([{ held: 'all' }])
        expect(await pass()).toMatchObject({ rows: 0 })
      },
    )

    test('where the archive cannot be read back, every batch is looked up', async () => {
      const broken = async function* () {
        yield* []
        throw new ArchiverError('a file is cut off', { code: 'TEST' })
      }
      await storedElsewhere(20, { read: broken })
      await pass()
      expect(ids()).toEqual(upTo(95))
      expect(await mark()).toBe(95n)
    })

    test('where it cannot be read now, nothing is stored', async () => {
      const away = async function* () {
        yield* []
        throw new ArchiverError('it does not answer', { code: 'TEST', retryable: true })
      }
      await storedElsewhere(20, { read: away })
      const { failed } = await pass({ retry: { attempts: 1, firstDelayMs: 1, maxDelayMs: 1 } })
      expect([...failed.keys()]).toEqual(['shelf'])
      expect(ids()).toEqual(upTo(95))
      expect(await mark()).toBe(20n)
    })
  })
})
