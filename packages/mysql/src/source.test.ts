import type { LogScore } from '@archiver/core'
import { parseAttributes, rowsFromChunk } from '@archiver/core'
import { createSourceTables, generateRows, insertRows, type SourceRow } from '@archiver/testkit'
import { hostileRows } from '@archiver/testkit/arbitraries'
import { describeWithMySql } from '@archiver/testkit/vitest'
import fc from 'fast-check'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MySqlSource } from './source.js'

const everything = { afterId: 0n, upToId: 2n ** 64n - 1n }

await describeWithMySql('source', (database) => {
  let connection: Connection
  beforeAll(async () => {
    connection = await database.connect()
  })
  afterAll(() => connection.end())

  /** The rows that a source reads from a table of these rows. */
  async function archived(source: MySqlSource, range = everything, soonUpToId?: bigint): Promise<LogScore[]> {
    const rows: LogScore[] = []
    for await (const chunk of source.read(range, soonUpToId)) rows.push(...rowsFromChunk(chunk))
    return rows
  }

  function open(table: string, pageRows = 100, maxOpenConnections = 10): MySqlSource {
    return new MySqlSource({ settings: { ...database.address, maxOpenConnections }, table, pageRows })
  }

  async function table(name: string, rows: Iterable<SourceRow>): Promise<string> {
    await createSourceTables(connection, { table: name })
    await insertRows(connection, name, rows)
    return name
  }

  test.each([1, 2, 10])('reads every row once and in order with up to %i connections', async (maxOpen) => {
    const rows = [...generateRows({ rows: 2_500, seed: 3, firstId: 1_000_000n })].filter(({ id }) => id % 7n !== 3n)
    await using source = open(await table(`ordered_${maxOpen}`, rows), 100, maxOpen)
    expect(await archived(source)).toEqual(rows.map(expected))
  })

  test('crosses gaps that are wider than any number of pages', async () => {
    const far = [...generateRows({ rows: 3, firstId: 2n ** 40n })]
    const rows = [...generateRows({ rows: 3 }), ...far, ...generateRows({ rows: 3, firstId: 2n ** 62n })]
    await using source = open(await table('gaps', rows))
    expect((await archived(source)).map(({ id }) => id)).toEqual(rows.map(({ id }) => id))
  })

  test('reads the range it was asked for, and nothing of an empty one', async () => {
    await using source = open(await table('ranges', generateRows({ rows: 500 })))
    const ids = (await archived(source, { afterId: 120n, upToId: 333n })).map(({ id }) => id)
    expect([ids[0], ids.at(-1), ids.length]).toEqual([121n, 333n, 213])
    expect(await archived(source, { afterId: 500n, upToId: 900n })).toEqual([])
    expect(await source.firstId({ afterId: 500n, upToId: 900n })).toBeNull()
    expect(await source.countUpTo({ afterId: 0n, upToId: 900n }, 50)).toBe(50)
    expect(await source.countUpTo({ afterId: 490n, upToId: 900n }, 50)).toBe(10)
    expect(await source.maxId()).toBe(500n)
  })

  describe('reading on behind a range', () => {
    const ids = (rows: readonly { readonly id: bigint }[]) => rows.map(({ id }) => id)
    const rows = [...generateRows({ rows: 900, seed: 5, firstId: 50n })].filter(({ id }) => id % 11n !== 0n)
    const lastId = rows.at(-1)!.id

    /** The rows between these ids, each range read as the one that follows the one before. */
    async function pieces(source: MySqlSource, cuts: readonly bigint[]): Promise<LogScore[]> {
      const read: LogScore[] = []
      for (const [i, upToId] of cuts.slice(1).entries()) {
        read.push(...(await archived(source, { afterId: cuts[i]!, upToId }, lastId)))
      }
      return read
    }

    test.each([1, 3, 40, 1_000])('gives every row once, with pages of %i rows', async (pageRows) => {
      await using source = open(await table(`ahead_${pageRows}`, rows), pageRows)
      expect(ids(await pieces(source, [0n, 10n, 52n, 100n, 101n, 480n, 700n, lastId]))).toEqual(ids(rows))
    })

    test('gives a range that was not expected as it is now', async () => {
      const name = await table('ahead_elsewhere', rows)
      await using source = open(name, 40)
      await pieces(source, [0n, 100n])
      await connection.query(`delete from ${name} where id in (101, 301)`)
      const expected = rows.map(({ id }) => id).filter((id) => id > 99n && id !== 101n && id !== 301n)
      expect(ids(await archived(source, { afterId: 99n, upToId: lastId }))).toEqual(expected)
    })

    test('fails with the row that cannot be read only when that row is asked for', async () => {
      const name = await table('ahead_unfit', rows)
      await connection.query(`update ${name} set attributes = '[]' where id = 130`)
      await using source = open(name, 20)
      expect(await pieces(source, [0n, 100n])).not.toEqual([])
      await expect(pieces(source, [100n, lastId])).rejects.toMatchObject({ code: 'ROW_UNFIT', id: 130n })
    })
  })

  describe('a connection that is killed', () => {
    const lost = { code: 'MYSQL_STATEMENT', retryable: true }
    const others = 'select id from information_schema.processlist where db = database() and id <> connection_id()'
    const waiting = `${others} and state like 'Waiting for %'`

    /** Kills the connections of the source, once there are some. */
    async function killReaders(question: string): Promise<void> {
      const readers = async () => {
        const [rows] = await connection.query<RowDataPacket[]>(question)
        return rows.map((row) => Number(row.id ?? row.ID))
      }
      await expect.poll(async () => (await readers()).length).toBeGreaterThan(0)
      for (const id of await readers()) await connection.query(`kill ${id}`)
    }

    async function drain(read: AsyncGenerator<unknown>): Promise<void> {
      for await (const _ of read);
    }

    test('between two pages fails the read', async () => {
      await using source = open(await table('killed_between', generateRows({ rows: 2_000 })))
      const read = source.read({ afterId: 0n, upToId: 2_000n })
      await read.next()
      await killReaders(others)
      await expect(drain(read)).rejects.toMatchObject(lost)
    })

    test('within a page fails the read', async () => {
      const name = await table('killed_within', generateRows({ rows: 2_000 }))
      await using source = open(name, 2_000)
      await source.detectColumns()
      const holdUp = await database.connect()
      await holdUp.query(`lock tables ${name} write`)
      const failed = expect(drain(source.read({ afterId: 0n, upToId: 2_000n }))).rejects.toMatchObject(lost)
      await killReaders(waiting)
      await failed
      await holdUp.end()
    })
  })

  test('hostile rows come through exactly', async () => {
    const name = await table('hostile', [])
    await using source = open(name, 7)
    await fc.assert(
      fc.asyncProperty(hostileRows(40), async (rows) => {
        await connection.query(`delete from ${name}`)
        await insertRows(connection, name, rows)
        expect(await archived(source)).toEqual(rows.map(expected))
      }),
      { numRuns: 60 },
    )
  })

  test('old tables lack rtt and attributes', async () => {
    await createSourceTables(connection, { table: 'old', withoutRtt: true, withoutAttributes: true })
    await connection.query("insert into old values (1, 2, 3, '2026-11-01 00:00:00', 1, 1, null)")
    await using source = open('old')
    expect(await archived(source)).toMatchObject([{ id: 1n, rtt: null, leap: null, error: null }])
  })

  test.each([
    ['a zero date', 'ts', "'0000-00-00 00:00:00'", 'NULL'],
    ['a time before 1970', 'ts', "'1969-12-31 23:59:59'", 'NULL'],
    ['a time after 2106', 'ts', "'2106-02-07 06:28:16'", 'NULL'],
    ['attributes that are no object', 'attributes', "'2026-11-01'", "'[]'"],
  ])('refuses %s by row and column', async (_, column, ts, attributes) => {
    const name = await table(
      `refused_${attributes.length}_${ts.length}_${ts.charCodeAt(4)}`,
      generateRows({ rows: 20 }),
    )
    await connection.query("set sql_mode = ''")
    await connection.query(`update ${name} set ts = ${ts}, attributes = ${attributes} where id = 12`)
    await using source = open(name, 5)
    await expect(archived(source)).rejects.toMatchObject({ code: 'ROW_UNFIT', id: 12n, column })
    expect(await archived(source, { afterId: 0n, upToId: 11n })).toHaveLength(11)
  })

  test('a consumer that stops early leaves no connection behind', async () => {
    await using source = open(await table('early', generateRows({ rows: 2_000 })), 100, 2)
    for (let round = 0; round < 5; round++) {
      for await (const chunk of source.read({ afterId: 0n, upToId: 2_000n })) if (chunk.id[0]! > 300n) break
    }
    expect(await archived(source)).toHaveLength(2_000)
  })

  test('names a table that is not there, or has another form', async () => {
    await using missing = open('nowhere')
    await expect(missing.detectColumns()).rejects.toMatchObject({ code: 'SOURCE_MISSING' })
    await connection.query('create table foreign_form (id int)')
    await using foreign = open('foreign_form')
    await expect(foreign.detectColumns()).rejects.toThrow('has no column monitor_id, server_id, ts')
  })

  test('sources that share their connections read beside one another, each ahead for itself', async () => {
    const name = await table('shared', generateRows({ rows: 3_000, seed: 5 }))
    await using source = new MySqlSource({ settings: database.address, table: name, pageRows: 100, reads: 2 })
    const [one, two] = [source.share(), source.share()]
    const read = async (from: MySqlSource) => [
      ...(await archived(from, { afterId: 0n, upToId: 1_500n }, 3_000n)),
      ...(await archived(from, { afterId: 1_500n, upToId: 3_000n })),
    ]
    const [first, second] = await Promise.all([read(one), read(two)])
    expect(first).toHaveLength(3_000)
    expect(second).toEqual(first)
    for (const shared of [one, two]) await shared.endReadAhead()
    const { open: opened, idle, waiting } = source.poolState
    expect({ opened: opened <= 10, busy: opened - idle, waiting }).toEqual({ opened: true, busy: 0, waiting: 0 })
  })

  test('a column that is added later is read once nothing is read ahead any more', async () => {
    const name = await table('widened', generateRows({ rows: 10 }))
    await connection.query(`alter table ${name} drop column rtt`)
    await using source = new MySqlSource({ settings: database.address, table: name })
    const rtts = async () => (await archived(source)).map(({ rtt }) => rtt)
    expect(await rtts()).toEqual(Array(10).fill(null))
    await connection.query(`alter table ${name} add column rtt mediumint null`)
    await connection.query(`update ${name} set rtt = 7`)
    await source.endReadAhead()
    expect(await rtts()).toEqual(Array(10).fill(7))
  })

  test('a cut ends what waits for MySQL', async () => {
    const name = await table('cut', generateRows({ rows: 10 }))
    await using source = new MySqlSource({ settings: database.address, table: name })
    await connection.query(`lock tables ${name} write`)
    const waiting = source.maxId()
    await expect
      .poll(async () => {
        const [rows] = await connection.query<RowDataPacket[]>('show processlist')
        return rows.some(({ Info: info }) => String(info).startsWith('select max(id)'))
      })
      .toBe(true)
    source.cutOff()
    await expect(waiting).rejects.toMatchObject({ code: 'MYSQL_STATEMENT' })
    await connection.query('unlock tables')
  })
})

function expected({ attributes, ...row }: SourceRow): LogScore {
  const parsed = parseAttributes(attributes)
  if (typeof parsed === 'string') throw new Error(parsed)
  return { ...row, ...parsed }
}
