import type { IdRange } from '@archiver/core'
import { ArchiverError, chunksFromRows, digestOf, leaseUntil, RowError, readerOf } from '@archiver/core'
import type { EngineEvent } from '@archiver/core/engine'
import { OpenHole, type PassOptions, runPass, storeLate } from '@archiver/core/engine'
import { createSourceTables, generateRows, insertRows } from '@archiver/testkit'
import { describeWithMySql } from '@archiver/testkit/vitest'
import type { Connection } from 'mysql2/promise'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { connect, disconnect } from '../connect.js'
import { MySqlLedger } from '../ledger.js'
import { MySqlOperator } from '../operator.js'
import { MySqlSource } from '../source.js'
import { ShelfArchiver } from './testing/shelf-archiver.js'

const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1)

/** What makes a row unfit, by the column that the error names. */
const KINDS: readonly (readonly [kind: string, column: string, set: string, says: string])[] = [
  ['a text that is not JSON', 'attributes', "attributes = 'xx'", 'xx'],
  ['half an object', 'attributes', `attributes = '{"leap":'`, '{"leap":'],
  ['an error that is not a text', 'attributes', `attributes = '{"error":5}'`, 'error is 5'],
  ['a leap beyond 3', 'attributes', `attributes = '{"leap":4}'`, 'leap is 4'],
  ['a zero date', 'ts', "ts = '0000-00-00 00:00:00'", 'zero date'],
  ['a time before 1970', 'ts', "ts = '1969-12-31 23:59:59'", '1969-12-31 23:59:59 is not'],
  ['a time after 2106', 'ts', "ts = '2106-02-07 06:28:16'", '2106-02-07 06:28:16 is not'],
  ['a long text', 'attributes', "attributes = repeat('x', 5000)", `${'x'.repeat(80)}…`],
  ['a long error', 'attributes', `attributes = concat('{"error":[', repeat('1,', 999), '1]}')`, '…, expected a text'],
]

await describeWithMySql('a row that no archive can hold', (database) => {
  let connection: Connection
  let control: Awaited<ReturnType<typeof connect>>
  let ledger: MySqlLedger
  let tables = 0
  let table: string
  let shelf: ShelfArchiver
  let events: EngineEvent[]

  beforeEach(async () => {
    connection ??= await database.connect()
    control ??= await connect(database.address)
    table = `unfit_${tables++}`
    await connection.query("set session sql_mode = ''")
    await createSourceTables(connection, { table, archivers: ['shelf'] })
    await insertRows(connection, table, generateRows({ rows: 95 }))
    ledger = new MySqlLedger(control, table)
    await ledger.prepare()
    shelf = new ShelfArchiver()
    shelf.policy = { minRows: 1, maxRows: 40, intervalMs: 0 }
    shelf.reader = {
      layout: 'table',
      digest: (name, range, signal) => digestOf(readerOf(shelf).read(name, range, signal)),
      read: async function* (_: string, { afterId, upToId }: IdRange) {
        yield* chunksFromRows(shelf.rows.filter(({ id }) => id > afterId && id <= upToId))
      },
      scan: (name, query, signal) => readerOf(shelf).read(name, query, signal),
    }
    events = []
  })
  afterAll(async () => {
    await connection.end()
    await disconnect(control)
  })

  const sourceOf = (pageRows = 7) => new MySqlSource({ settings: database.address, table, pageRows })
  async function pass(options: Partial<PassOptions> = {}) {
    await using source = sourceOf()
    const open = async () => shelf
    const onEvent = (event: EngineEvent) => {
      events.push(event)
      if (events.length > 1_000) throw new Error('the pass does not end')
    }
    return await runPass({ table, ledger, source, lease: leaseUntil(), open, onEvent, settleMs: 0, ...options })
  }
  const spoil = (set: string, ...ids: number[]) => connection.query(`update ${table} set ${set} where id in (?)`, [ids])
  const mark = async () => (await ledger.status()).find((s) => s.archiver === 'shelf')?.mark
  const ids = () => shelf.rows.map(({ id }) => Number(id))
  async function skip(id: number) {
    const operator = new MySqlOperator(control, table)
    await operator.skip({ archiver: 'shelf', rowId: BigInt(id), reason: 'test', rowJson: '{}', by: 'test' })
  }

  describe.each(KINDS)('%s', (_, column, set, says) => {
    test.each([1, 2, 7, 8, 39, 40, 41, 95])(
      'at row %i of 95: the rows before it are stored, it is named',
      async (id) => {
        await spoil(set, id)
        const { failed } = await pass()
        expect(failed.get('shelf')).toMatchObject({ code: 'ROW_UNFIT', id: BigInt(id), column })
        expect(failed.get('shelf')?.message).toContain(says)
        expect(ids()).toEqual(upTo(id - 1))
        expect(await mark()).toBe(id === 1 ? null : BigInt(id - 1))
        expect(await ledger.planned('shelf')).toBeNull()

        expect((await pass()).failed.get('shelf')).toMatchObject({ code: 'ROW_UNFIT', id: BigInt(id) })
        await skip(id)
        expect((await pass()).failed.size).toBe(0)
        expect(ids()).toEqual(upTo(95).filter((each) => each !== id))
        expect(await mark()).toBe(id === 95 ? 94n : 95n)
      },
    )
  })

  test('two of them, one after the other, are named and skipped one after the other', async () => {
    await spoil("attributes = 'xx'", 50, 51)
    for (const id of [50, 51]) {
      expect((await pass()).failed.get('shelf')).toMatchObject({ code: 'ROW_UNFIT', id: BigInt(id) })
      expect(ids()).toEqual(upTo(49))
      await skip(id)
    }
    expect((await pass()).failed.size).toBe(0)
    expect(ids()).toEqual(upTo(95).filter((id) => id !== 50 && id !== 51))
  })

  test('more of them, skipped, than a batch has rows do not stop the rows behind', async () => {
    const skipped = Array.from({ length: 45 }, (_, i) => 10 + i)
    await spoil("attributes = 'xx'", ...skipped)
    for (const id of skipped) await skip(id)
    expect((await pass()).failed.size).toBe(0)
    expect(ids()).toEqual(upTo(95).filter((id) => !skipped.includes(id)))
    expect(await mark()).toBe(95n)
  })

  test('and skipped, it does not look like a gap in which a row may still appear', async () => {
    await spoil("attributes = 'xx'", 50)
    await skip(50)
    await pass({ settleMs: 600_000 })
    expect(await mark()).toBe(95n)
  })

  test('in a batch that a crash has left planned: the same', async () => {
    shelf.beforeChunk = () => {
      throw new Error('crash')
    }
    await pass()
    shelf.beforeChunk = () => undefined
    await spoil("attributes = 'xx'", 20)
    expect((await pass()).failed.get('shelf')).toMatchObject({ code: 'ROW_UNFIT', id: 20n })
    expect([ids(), await mark()]).toEqual([upTo(19), 19n])
  })

  test('that was stored before somebody spoilt it: nothing is stored twice', async () => {
    shelf.afterStore = () => {
      throw new Error('crash')
    }
    await pass()
    shelf.afterStore = () => undefined
    await spoil("attributes = 'xx'", 20)
    for (const _ of [1, 2]) {
      expect((await pass()).failed.get('shelf')).toMatchObject({ code: 'ROW_UNFIT', id: 20n })
      expect([ids(), await mark()]).toEqual([upTo(40), null])
    }
    await spoil('attributes = null', 20)
    expect((await pass()).failed.size).toBe(0)
    expect(ids()).toEqual(upTo(95))
  })

  test('in a batch that a mark set by hand has overtaken: it is passed', async () => {
    shelf.beforeChunk = () => {
      throw new Error('crash')
    }
    await pass()
    shelf.beforeChunk = () => undefined
    await spoil("attributes = 'xx'", 20)
    await connection.query(`update ${table}_archive_status set log_score_id = 40 where archiver = 'shelf'`)
    expect((await pass()).failed.size).toBe(0)
    expect(ids()).toEqual(upTo(95).slice(40))
  })

  test.each([20, 60])('behind a mark that was set back (row %i): the rows before it are checked', async (id) => {
    await pass()
    await connection.query(`update ${table}_archive_status set log_score_id = null where archiver = 'shelf'`)
    await spoil("attributes = 'xx'", id)
    expect((await pass()).failed.get('shelf')).toMatchObject({ code: 'ROW_UNFIT', id: BigInt(id) })
    await spoil('attributes = null', id)
    expect((await pass()).failed.size).toBe(0)
    expect([ids(), await mark()]).toEqual([upTo(95), 95n])
  })

  test('among late rows: those before it are stored', async () => {
    await connection.query(`update ${table}_archive_status set log_score_id = 50 where archiver = 'shelf'`)
    await spoil("attributes = 'xx'", 20)
    await using source = sourceOf()
    const late = {
      archiver: shelf,
      table,
      ledger,
      source,
      lease: leaseUntil(),
      settleMs: 0,
      onEvent: () => undefined,
    }
    await expect(storeLate(late, { afterId: 10n, upToId: 30n })).rejects.toMatchObject({ code: 'ROW_UNFIT', id: 20n })
    expect(ids()).toEqual(upTo(19).slice(10))
    expect(await mark()).toBe(50n)
  })

  test('stops no other archiver', async () => {
    await connection.query(`insert into ${table}_archive_status (archiver) values ('other')`)
    const other = new ShelfArchiver()
    const strict = new ShelfArchiver()
    strict.beforeChunk = (chunk) => {
      if (chunk.id.subarray(0, chunk.rows).includes(60n)) throw new RowError(60n, 'score', 'is too large')
    }
    const { failed } = await pass({ open: async (name) => Object.assign(name === 'shelf' ? strict : other, { name }) })
    expect([...failed.keys()]).toEqual(['shelf'])
    expect(strict.rows).toHaveLength(59)
    expect(other.rows).toHaveLength(95)
  })

  describe('no loop is endless:', () => {
    async function expectAnEnd(code: string) {
      const { failed } = await pass({ retry: { attempts: 3, firstDelayMs: 1, maxDelayMs: 1 } })
      expect(failed.get('shelf')).toMatchObject({ code })
    }

    test('an adapter that refuses the last row of whatever it gets', async () => {
      shelf.whole = true
      shelf.store = async ({ upToId }) => {
        throw new RowError(upToId, 'score', 'is too large')
      }
      await expectAnEnd('NO_PROGRESS')
    })

    test('an adapter that refuses a row behind the batch', async () => {
      shelf.store = async ({ upToId }) => {
        throw new RowError(upToId + 1n, 'score', 'is too large')
      }
      await expectAnEnd('NO_PROGRESS')
    })

    test('an adapter that finds its last row unfit in each look-up', async () => {
      let [planned, looks] = [0, 0]
      shelf.store = async () => {
        if (planned++ === 0) throw new Error('crash')
        return { rows: 0, bytes: 0, identity: '' }
      }
      await pass()
      shelf.findStored = async ({ upToId }) => {
        looks++
        throw new RowError(upToId, 'score', 'is too large')
      }
      await expectAnEnd('ROW_UNFIT')
      expect(looks).toBeLessThan(50)
    })

    test('gaps that open behind each end', async () => {
      await using source = sourceOf()
      const read = source.read.bind(source)
      source.read = async function* (range) {
        yield* read(range)
        throw new OpenHole({ afterId: range.upToId, upToId: range.upToId + 1n }, { ...PLACE, table }, false)
      }
      const { failed } = await pass({ source, retry: { attempts: 3, firstDelayMs: 1, maxDelayMs: 1 } })
      expect(failed.get('shelf')).toBeInstanceOf(ArchiverError)
    })
  })
})

const PLACE = { id: 1n, archiver: 'shelf', table: '', afterId: 0n, firstId: 1n, upToId: 1n }
