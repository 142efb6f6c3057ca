import type { LogScore } from '@archiver/core'
import { rowsFromChunk } from '@archiver/core'
import { createSourceTables } from '@archiver/testkit'
import { describeWithMySql } from '@archiver/testkit/vitest'
import type { Connection } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sourceColumns } from './columns.js'
import { MySqlSource } from './source.js'

await describeWithMySql('columns of another type', (database) => {
  let connection: Connection
  let tables = 0
  beforeAll(async () => {
    connection = await database.connect()
  })
  afterAll(() => connection.end())

  /** A table with one column of another type, and five rows; the third has `value` there. */
  async function tableWith(column: string, type: string, value: string): Promise<string> {
    const table = `types_${tables++}`
    await createSourceTables(connection, { table })
    await connection.query(`drop table ${table}_archive_status`)
    await connection.query(`insert into ${table} (id, monitor_id, server_id, ts, score, step, \`offset\`, rtt, attributes)
      select id, 1, 2, '2026-11-01', 3, 4, 5, 6, null from (select 1 as id union select 2 union select 3 union select 4 union select 5) as ids`)
    await connection.query(`alter table ${table} modify \`${column}\` ${type}`)
    await connection.query(`update ${table} set \`${column}\` = ${value} where id = 3`)
    return table
  }

  async function read(table: string, exactAttributes = false): Promise<LogScore[]> {
    const rows: LogScore[] = []
    await using source = new MySqlSource({ settings: database.address, table, exactAttributes })
    for await (const chunk of source.read({ afterId: 0n, upToId: 5n })) rows.push(...rowsFromChunk(chunk))
    return rows
  }

  test.each([
    ['id', 'int', '3', { id: 3n }],
    ['id', 'bigint', '3', { id: 3n }],
    ['monitor_id', 'int', '2147483647', { monitorId: 2_147_483_647 }],
    ['monitor_id', 'bigint unsigned', '4294967295', { monitorId: 4_294_967_295 }],
    ['server_id', 'bigint', '4294967295', { serverId: 4_294_967_295 }],
    ['server_id', 'smallint', '7', { serverId: 7 }],
    ['server_id', 'decimal(20,0)', '7', { serverId: 7 }],
    ['ts', 'timestamp null', "'2026-11-01 00:00:01'", { tsSeconds: 1_793_491_201 }],
    ['ts', 'datetime(6)', "'2026-11-01 00:00:01'", { tsSeconds: 1_793_491_201 }],
    ['ts', 'date', "'2026-11-02'", { tsSeconds: 1_793_577_600 }],
    ['score', 'float', '0.5', { score: 0.5 }],
    ['score', 'decimal(30,20)', '19.10000000000000000000', { score: 19.1 }],
    ['score', 'bigint', '-20', { score: -20 }],
    ['step', 'decimal(10,3)', '-0.001', { step: -0.001 }],
    ['offset', 'decimal(20,18)', '0.000000000000012345', { offset: 1.2345e-14 }],
    ['offset', 'decimal(20,18)', 'null', { offset: null }],
    ['rtt', 'int', '-2147483648', { rtt: -2_147_483_648 }],
    ['rtt', 'int unsigned', '2147483647', { rtt: 2_147_483_647 }],
    ['rtt', 'double', '5', { rtt: 5 }],
    ['attributes', 'varchar(200)', `'{"leap":1}'`, { leap: 1 }],
    ['attributes', 'varchar(200) character set latin1', `'{"error":"é"}'`, { error: 'é' }],
    ['attributes', 'text character set ucs2', `'{"error":"時"}'`, { error: '時' }],
    ['attributes', 'blob', `'{"error":"時"}'`, { error: '時' }],
    ['attributes', 'varbinary(200)', `'{"leap":0}'`, { leap: null, error: null }],
    ['attributes', 'json', `'{"leap":2,"error":"時"}'`, { leap: 2, error: '時' }],
    ['attributes', 'json', `'{"leap":0}'`, { leap: null, error: null }],
    ['attributes', 'json', `'null'`, { leap: null, error: null }],
  ])('%s %s: %s is archived exactly', async (column, type, value, expected) => {
    const rows = await read(await tableWith(column, type, value))
    expect(rows).toHaveLength(5)
    expect(rows[2]).toMatchObject({ id: 3n, ...expected })
    expect(rows[3]).toEqual({ ...rows[4], id: 4n })
  })

  test.each([
    ['monitor_id', 'bigint', '-1', 'is -1, not a whole number from 0 to 4294967295'],
    ['monitor_id', 'int', '-1', 'is -1, not a whole number'],
    ['monitor_id', 'bigint unsigned', '4294967296', 'is 4294967296, not a whole number'],
    ['server_id', 'bigint', '4294967297', 'is 4294967297, not a whole number'],
    ['server_id', 'bigint unsigned', '18446744073709551615', 'is 18446744073709551615, not a whole number'],
    ['server_id', 'decimal(20,3)', '1.001', 'is 1.001, not a whole number'],
    ['server_id', 'double', '1.5', 'is 1.5, not a whole number'],
    ['ts', 'datetime(6)', "'2026-11-01 00:00:01.000001'", 'has a fraction of a second'],
    ['ts', 'timestamp(3) null', "'2026-11-01 00:00:01.5'", 'has a fraction of a second'],
    ['ts', 'datetime(6) null', 'null', 'is NULL'],
    ['ts', 'datetime', "'1969-12-31 23:59:59'", '1969-12-31 23:59:59 is not between'],
    ['score', 'decimal(30,20)', '19.12345678901234567', 'is 19.12345678901234567'],
    ['score', 'bigint', '9007199254740993', 'is 9007199254740993'],
    ['rtt', 'int unsigned', '3000000000', 'is 3000000000, not a whole number from -2147483648 to 2147483647'],
    ['rtt', 'bigint', '-2147483649', 'is -2147483649, not a whole number'],
    ['rtt', 'float', '0.5', 'is 0.5, not a whole number'],
    ['attributes', 'blob', "x'7b22ff'", 'is not UTF-8: 7b22ff'],
    ['attributes', 'json', `'[1]'`, 'not a JSON object'],
  ])('%s %s: %s stops at its row, and is not cut', async (column, type, value, why) => {
    const table = await tableWith(column, type, value)
    const unfit = { code: 'ROW_UNFIT', id: 3n, column, message: expect.stringContaining(why) }
    await expect(read(table)).rejects.toMatchObject(unfit)
  })

  test.each(['text', 'json'])('attributes of type %s keep their own text where an archive keeps it', async (type) => {
    const rows = await read(await tableWith('attributes', type, `'{"leap": 0}'`), true)
    expect(rows[2]).toMatchObject({ leap: null, json: '{"leap": 0}' })
    expect(rows[3]).toMatchObject({ json: null })
  })
})

describe('a table', () => {
  const form = Object.entries({
    ...{ id: 'bigint(20) unsigned', monitor_id: 'int', server_id: 'int', ts: 'datetime', score: 'double' },
    ...{ step: 'double', offset: 'double', rtt: 'mediumint(9)', attributes: 'text' },
  }).map(([name, type]) => ({ name, type, extra: '' }))
  const withType = (name: string, type: string) =>
    form.map((column) => (column.name === name ? { ...column, type } : column))

  test.each([
    ['id', 'decimal(20,0)', 'id is decimal(20,0), and has to be an integer'],
    ['id', 'uuid', 'id is uuid'],
    ['ts', 'bigint', 'ts is bigint, and has to be a datetime'],
    ['ts', 'varchar(20)', 'ts is varchar(20)'],
    ['score', 'varchar(20)', 'score is varchar(20), and has to be a number'],
    ['rtt', 'time', 'rtt is time'],
    ['attributes', 'bigint', 'attributes is bigint, and has to be a text'],
  ])('whose %s is %s is refused before anything is read', (name, type, why) => {
    expect(() => sourceColumns('t', withType(name, type))).toThrow(why)
  })

  test('is told by its unknown columns, without those that the server computes', () => {
    const more = [
      { name: 'nts', type: 'int', extra: '' },
      { name: 'day', type: 'date', extra: 'STORED GENERATED' },
      { name: 'Hidden', type: 'int', extra: 'INVISIBLE' },
    ]
    expect(sourceColumns('t', [...form, ...more])).toMatchObject({ unknown: ['nts', 'Hidden'] })
    expect(sourceColumns('t', withType('attributes', 'json'))).toMatchObject({ attributes: 'json', unknown: [] })
  })
})
