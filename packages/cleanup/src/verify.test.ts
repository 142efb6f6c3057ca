import { ArchiverError, type FaultPoint } from '@archiver/core'
import { describeWithMySql } from '@archiver/testkit/vitest'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Blocked } from './blocked.js'
import { describeBlocked, needsOperator } from './index.js'
import type { VerifyMode } from './options.js'
import type { CleanupResult } from './result.js'
import { withFaultHook } from './testing/fault-hook.js'
import type { ShelfArchive } from './testing/shelf-archive.js'
import { upTo, Workbench } from './testing/workbench.js'

await describeWithMySql('before rows are deleted', (database) => {
  let bench: Workbench
  let shelf: ShelfArchive
  beforeEach(async () => {
    bench = await Workbench.open(database)
    shelf = bench.shelf()
    await bench.insert(60, 20)
    await bench.archiveAll(60n)
  })
  afterEach(() => bench[Symbol.asyncDispose]())

  const clean = (verify?: VerifyMode) => bench.clean({ policy: verify === undefined ? {} : { verify } })
  const inTheWay = ({ end }: CleanupResult): Blocked | undefined => (end.why === 'blocked' ? end.blocked : undefined)

  /** What must be left alone: nothing is deleted, and the reason names this. */
  async function refuses(result: CleanupResult, text: string) {
    const blocked = inTheWay(result)
    expect(blocked && describeBlocked(blocked, bench.table).why).toContain(text)
    expect(blocked && needsOperator(blocked)).toBe(true)
    expect(await bench.ids()).toHaveLength(60)
  }

  test('the archive is asked once, for the whole span', async () => {
    await bench.insert(12_000, 30, 61n)
    await bench.archiveAll(12_060n)
    const rows = await bench.sourceRows()
    expect((await clean()).ranges).toBe(3)
    expect(shelf.asked).toMatchObject([{ afterId: 0n, upToId: 12_059n }])
    // With the days of the rows: an archive without a key on the id need not look at others.
    const { times = [] } = shelf.asked[0]!
    const isWithin = (seconds: number) => times.some((span) => seconds >= span.fromSeconds && seconds <= span.toSeconds)
    expect(rows.slice(0, -1).every(({ tsSeconds }) => isWithin(tsSeconds))).toBe(true)
    expect(times).toHaveLength(2)
    expect(bench.eventsOf('cleanup.verified')).toMatchObject([{ archiver: 'shelf', rows: 12_059 }])
  })

  test('a row that the archive lacks is stored there first, as a batch of its own, and the mark stays', async () => {
    for (const id of [17n, 30n, 31n]) shelf.drop(id)
    expect((await clean()).rows).toBe(59)
    expect(shelf.rows.map(({ id }) => Number(id))).toEqual(upTo(60))
    expect(shelf.batches.map(({ afterId, upToId }) => [afterId, upToId])).toEqual([
      [16n, 17n],
      [29n, 31n],
    ])
    expect(await bench.markOf('shelf')).toBe(60n)
    const done = await bench.query(`select * from ${bench.table}_archive_batch where archiver = 'shelf'`)
    expect(done).toMatchObject([
      { state: 'done', first_id: 17, last_id: 17, row_count: 1 },
      { state: 'done', first_id: 30, last_id: 31, row_count: 2 },
    ])
  })

  test('a mend does not put off the next batch of that archiver', async () => {
    await bench.query(`update ${bench.table}_archive_status set modified_on = '2026-01-01' where archiver = 'shelf'`)
    shelf.drop(17n)
    await clean()
    const [row] = await bench.query(
      `select modified_on = '2026-01-01' same from ${bench.table}_archive_status where archiver = 'shelf'`,
    )
    expect(row?.same).toBe(1)
  })

  test('a late row that cannot be stored stops it, and is named', async () => {
    shelf.drop(17n)
    shelf.store = async () => {
      throw new ArchiverError('the disk is full', { code: 'TEST' })
    }
    await refuses(await clean(), 'shelf lacks late rows of ids 17 to 17: the disk is full')
  })

  test('late rows wait for an unfinished batch of their archiver', async () => {
    shelf.drop(17n)
    await bench.ledger.plan({ archiver: 'shelf', afterId: 60n, firstId: 61n, upToId: 70n })
    const blocked = inTheWay(await clean())
    expect(blocked).toEqual({ reason: 'unfinished-batch', archiver: 'shelf' })
    expect(await bench.ids()).toHaveLength(60)
  })

  test('more missing rows than can be late are not stored, but named', async () => {
    await bench.insert(2_000, 30, 61n)
    await bench.mark('shelf', 2_060n)
    const result = await clean()
    const blocked = inTheWay(result)
    expect(blocked && describeBlocked(blocked, bench.table).why).toMatch(/1999 rows of ids 61 to 2059 are missing/)
    expect(shelf.batches).toEqual([])
  })

  test.each<[string, (shelf: ShelfArchive) => void, string]>([
    ['a doubled row', (s) => s.put(s.rows.filter(({ id }) => id === 9n)), 'row 9 is doubled'],
    [
      'a dropped and a doubled row together',
      (s) => {
        s.put(s.rows.filter(({ id }) => id === 9n))
        s.drop(10n)
      },
      'row 9 is doubled',
    ],
    ['another time', (s) => s.change(9n, { tsSeconds: 5 }), 'row 9 differs in ts'],
    ['another server', (s) => s.change(9n, { serverId: 5 }), 'row 9 differs in server_id'],
  ])('%s stops it, by counting alone', async (_, damage, named) => {
    damage(shelf)
    await refuses(await clean('count'), named)
    await refuses(await clean('rows'), named)
  })

  test('a changed float is found by comparing rows, and not by counting them', async () => {
    shelf.change(9n, { score: 3.5 })
    await refuses(await clean('rows'), 'row 9 differs in score')
    expect((await clean('count')).rows).toBe(59)
  })

  test('without verification the marks alone decide', async () => {
    shelf.rows = []
    expect((await clean('off')).rows).toBe(59)
    expect(shelf.asked).toEqual([])
  })

  test('an archive that does not answer stops it, and is not asked again at once', async () => {
    shelf.onAsked = () => {
      throw new ArchiverError('connection refused', { code: 'CLICKHOUSE_UNREACHABLE', retryable: true })
    }
    await refuses(await clean(), 'connection refused')
    const again = await bench.clean({ policy: { intervalMs: 60_000 } })
    expect(again.end).toMatchObject({ why: 'not-due' })
  })

  test.each<[code: string, hint: string, retryable: boolean]>([
    ['BQ_LOGIN', 'Give GOOGLE_APPLICATION_CREDENTIALS another key.', false],
    ['BQ_QUOTA', 'It refills within 24 hours.', false],
    ['BQ_NOT_FOUND', 'Correct bq_project.', false],
    ['BQ_BUSY', 'It is tried again.', true],
  ])('%s of a table is not a difference: it is named, with what to do', async (code, hint, retryable) => {
    shelf.onAsked = () => {
      throw new ArchiverError('refused', { code, hint, retryable })
    }
    const blocked = inTheWay(await clean())!
    expect(blocked).toMatchObject({ reason: 'archive-unreadable', archiver: 'shelf', error: { code } })
    expect(describeBlocked(blocked, bench.table)).toEqual({
      why: `shelf cannot be asked what it holds: refused (${code})`,
      hint: expect.stringMatching(new RegExp(`^${hint} Nothing is deleted`)),
    })
    expect(await bench.ids()).toHaveLength(60)
  })

  test('a row that was taken out for an archiver is not expected there, and is told of', async () => {
    const rowJson = (await bench.query(`select * from ${bench.table} where id = 9`)).map((row) => JSON.stringify(row))
    await bench.query(
      `create table ${bench.table}_archive_skip (id int primary key auto_increment, archiver varchar(255),
       row_id bigint unsigned, reason text, row_json longtext, skipped_by varchar(255))`,
    )
    const insert = `insert into ${bench.table}_archive_skip (archiver, row_id, reason, row_json, skipped_by)`
    await bench.query(`${insert} values ('shelf', 9, 'a test', ?, 'me')`, rowJson)
    shelf.drop(9n)
    expect((await clean()).rows).toBe(59)
    expect(bench.eventsOf('cleanup.skipped-rows')).toMatchObject([{ archiver: 'shelf', ids: [9n] }])
    expect(shelf.holds(9n)).toBe(false)
  })

  test('rows that the archive has and the source has no longer are as they should be', async () => {
    await bench.query(`delete from ${bench.table} where id between 20 and 29`)
    expect((await clean()).rows).toBe(49)
  })

  describe('what changes while the archive is asked is seen', () => {
    test('a row that appears is looked for in the archive, and stored there', async () => {
      await bench.query(`delete from ${bench.table} where id = 20`)
      shelf.drop(20n)
      let inserted = false
      shelf.onAsked = async () => {
        if (inserted) return
        inserted = true
        const tsSeconds = (await bench.sourceRows())[0]!.tsSeconds
        await bench.insertRow({ id: 20n, tsSeconds })
      }
      expect((await clean()).rows).toBe(59)
      expect(shelf.holds(20n)).toBe(true)
    })

    test('a row that takes the place of another just before the transaction is too', async () => {
      await bench.query(`delete from ${bench.table} where id = 20`)
      shelf.drop(20n)
      const [first] = await bench.sourceRows()
      let swapped = false
      const swap = async (point: FaultPoint) => {
        if (point !== 'cleanup.before' || swapped) return
        swapped = true
        await bench.query(`delete from ${bench.table} where id = 10`)
        await bench.insertRow({ id: 20n, tsSeconds: first!.tsSeconds })
      }
      expect((await withFaultHook(swap, () => clean())).rows).toBe(58)
      expect(shelf.holds(20n)).toBe(true)
    })

    test('a mark that is lowered holds', async () => {
      shelf.onAsked = () => bench.mark('shelf', 25n)
      await clean()
      expect(await bench.ids()).toEqual(upTo(60, 25))
    })

    test('an archiver that is added stops it', async () => {
      shelf.onAsked = () => bench.mark('new', null)
      await refuses(await clean(), 'new: turned on')
    })
  })

  describe('files that were moved away', () => {
    beforeEach(async () => {
      for (const [firstId, lastId, name] of [
        [1n, 30n, 'first.avro'],
        [31n, 60n, 'second.avro'],
      ] as const) {
        const batch = await bench.ledger.plan({ archiver: 'shelf', afterId: firstId - 1n, firstId, upToId: lastId })
        const record = {
          rows: 30,
          firstId,
          lastId,
          minTsSeconds: 1,
          maxTsSeconds: 2,
          idHash: Buffer.alloc(32),
          bytes: 1,
        }
        await bench.ledger.commit(batch, { ...record, identity: name }, { from: 60n, to: 60n })
      }
      for (const id of upTo(30)) shelf.drop(BigInt(id))
      shelf.reader.missingFiles = async (_, identities) => identities.filter((name) => name === 'first.avro')
    })

    test('stop it, and are named with the way out', async () => {
      const result = await clean()
      await refuses(result, 'first.avro')
      expect(describeBlocked(inTheWay(result)!, bench.table).hint).toContain('avro_moved=ok')
    })

    test('are not asked where that is said to be in order; the others are', async () => {
      expect((await bench.clean({ policy: { movedIsSafe: true } })).rows).toBe(59)
      expect(shelf.asked).toMatchObject([{ afterId: 30n, upToId: 59n }])
      expect(shelf.batches).toEqual([])
    })
  })
})
