import { EventEmitter } from 'node:events'
import type { LogScore } from '@archiver/core'
import { rowsFromChunk } from '@archiver/core'
import { createSourceTables, insertRows, type SourceRow } from '@archiver/testkit'
import { hostileRows } from '@archiver/testkit/arbitraries'
import { describeWithMySql } from '@archiver/testkit/vitest'
import fc from 'fast-check'
import { type Connection, createConnection } from 'mysql2'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { AttributeCache, ChunkWriter } from './chunk-writer.js'
import { selectList } from './columns.js'
import { isUsualForm, type RowStatement, rowsInto } from './row-packet.js'
import type { RowPacket } from './row-values.js'

const columns = selectList({ rtt: true, attributes: 'text', fractions: false, unknown: [] }, true)
const writerOf = (rows: number) => new ChunkWriter(rows, new AttributeCache(true))

function read(statement: RowStatement, writer: ChunkWriter): Promise<LogScore[]> {
  writer.start()
  return new Promise((resolve, reject) =>
    rowsInto(statement, writer, (failure = writer.unfit[0]) =>
      failure === undefined ? resolve(rowsFromChunk(writer.finish())) : reject(failure),
    ),
  )
}

await describeWithMySql('rows out of their packets', (database) => {
  let connection: Connection
  const query = (sql: string) => connection.promise().query(sql)
  beforeAll(async () => {
    connection = createConnection({ ...database.address, supportBigNumbers: true, charset: 'utf8mb4' })
    await createSourceTables(connection.promise())
    await createSourceTables(connection.promise(), { table: 'other_form' })
    await query('alter table other_form modify monitor_id bigint unsigned null')
  })
  afterAll(() => connection.end())

  async function rowsOf(table: string): Promise<{ readonly rows: LogScore[]; readonly direct: boolean }> {
    const sql = `select ${columns} from ${table} order by id`
    const statement = connection.execute({ sql, rowsAsArray: true }) as unknown as RowStatement // as in page-reader.ts
    const writer = writerOf(200)
    const [packets, values] = [vi.spyOn(writer, 'addPacket'), vi.spyOn(writer, 'add')]
    const rows = await read(statement, writer)
    expect([packets.mock.calls.length, values.mock.calls.length]).toContain(0)
    return { rows, direct: packets.mock.calls.length === rows.length }
  }

  test('are those that the driver makes of them, whatever is in them', async () => {
    const same = async (rows: readonly SourceRow[]) => {
      for (const table of ['log_scores', 'other_form']) {
        await query(`truncate table ${table}_archive_status`)
        await query(`delete from ${table}`)
        await insertRows(connection.promise(), table, rows)
      }
      const [usual, other] = [await rowsOf('log_scores'), await rowsOf('other_form')]
      expect(usual.rows).toEqual(other.rows)
      expect(usual.rows).toHaveLength(rows.length)
      expect([usual.direct, other.direct]).toEqual([true, false])
    }
    await fc.assert(fc.asyncProperty(hostileRows(40), same), { numRuns: 25, seed: 7 })
  })

  test.each(['server_id', 'score', 'step'])('a NULL in %s is refused by row and column', async (column) => {
    await createSourceTables(connection.promise(), { table: `null_${column}` })
    const [[form]] = (await query(`show columns from null_${column} like '${column}'`)) as unknown as [
      [{ Type: string }],
    ]
    await query(`alter table null_${column} modify ${column} ${form.Type} null`)
    await query(`insert into null_${column} (id, server_id, ts, score, step) values (7, 1, now(), 1, 1)`)
    await query(`update null_${column} set ${column} = null`)
    await expect(rowsOf(`null_${column}`)).rejects.toMatchObject({ code: 'ROW_UNFIT', id: 7n, column })
  })

  test('a statement that fails tells so', async () => {
    await expect(rowsOf('nowhere')).rejects.toMatchObject({ code: 'ER_NO_SUCH_TABLE' })
  })
})

describe('a driver that', () => {
  const usual = [8, 3, 3, 8, 5, 5, 5, 9, 252].map((columnType, i) => ({
    columnType,
    flags: i < 3 ? 0x20 : 0,
    characterSet: 45,
    encoding: 'utf8',
  }))

  class Statement extends EventEmitter implements RowStatement {
    buildParserFromFields: RowStatement['buildParserFromFields'] = () => undefined
  }

  test('no longer asks for a parser fails the read: its rows would be lost', async () => {
    const statement = new Statement()
    const rows = read(statement, writerOf(1))
    statement.emit('result', [1, null, 1, 1, 0, 0, null, null, null])
    statement.emit('end')
    await expect(rows).rejects.toThrow('the rows came past their parser')
  })

  test('cuts a row elsewhere than its columns end fails the read', async () => {
    const buffer = Buffer.alloc(100)
    buffer.writeUInt16LE((2 | 64 | 128 | 256) << 2, 1)
    const whole = 3 + 8 + 4 + 8 + 16
    for (const [end, fails] of [
      [whole - 1, true],
      [whole, false],
      [whole + 1, true],
    ] as const) {
      const statement = new Statement()
      const rows = read(statement, writerOf(1))
      const Rows = statement.buildParserFromFields(usual, undefined) as new () => { next(packet: RowPacket): void }
      new Rows().next({ buffer, offset: 0, end, readLengthCodedString: () => '' })
      statement.emit('end')
      if (fails) await expect(rows).rejects.toThrow('ends elsewhere')
      else expect(await rows).toMatchObject([{ id: 0n, monitorId: null, offset: null, rtt: null }])
    }
  })

  test('tells of another column type is left to its own values', () => {
    expect(isUsualForm(usual)).toBe(true)
    for (const [i, field] of usual.entries()) {
      expect(isUsualForm(usual.with(i, { ...field, columnType: 4 }))).toBe(false)
      if (i < 4 || i === 7) expect(isUsualForm(usual.with(i, { ...field, flags: field.flags ^ 0x20 }))).toBe(false)
    }
    expect(isUsualForm(usual.with(8, { ...usual[8]!, characterSet: 63 }))).toBe(false)
    expect(isUsualForm(usual.slice(1))).toBe(false)
  })
})
