import fc from 'fast-check'
import type { RowDataPacket } from 'mysql2/promise'
import { describe, expect, test } from 'vitest'
import { hostileRows, maxTsSeconds } from './arbitraries.js'
import { fillTable, insertRows } from './insert-rows.js'
import { generateRows, type SourceRow } from './rows.js'
import { createSourceTables, dropTables } from './schema.js'
import { describeWithMySql } from './vitest.js'

describe('generated rows', () => {
  const rows = [...generateRows({ rows: 100_000, firstId: 2n ** 40n, startSeconds: 1_000_000 })]
  const share = (wanted: (row: SourceRow) => boolean) => rows.filter(wanted).length / rows.length

  test('are the same for the same seed, and others for another', () => {
    expect([...generateRows({ rows: 50, seed: 3 })]).toEqual([...generateRows({ rows: 50, seed: 3 })])
    expect([...generateRows({ rows: 50, seed: 3 })]).not.toEqual([...generateRows({ rows: 50, seed: 4 })])
  })

  test('have rising ids, and times that rise by and large', () => {
    expect(rows[0]!.id).toBe(2n ** 40n)
    expect(rows.at(-1)!.id).toBe(2n ** 40n + 99_999n)
    const falls = rows.filter((row, i) => i > 0 && row.tsSeconds < rows[i - 1]!.tsSeconds).length
    expect(falls).toBeGreaterThan(1000)
    expect(rows.at(-1)!.tsSeconds - rows[0]!.tsSeconds).toBeCloseTo(100_000 / 15, -2)
  })

  test('look like the pool’s: shares of failures, nulls, leaps and warnings', () => {
    expect(new Set(rows.map((row) => row.serverId)).size).toBe(5000)
    expect(share((row) => row.monitorId === null)).toBeCloseTo(0.02, 2)
    expect(share((row) => row.offset === null && row.rtt === null)).toBeCloseTo(0.025, 2)
    expect(share((row) => row.attributes!.includes('error'))).toBe(share((row) => row.rtt === null))
    expect(share((row) => row.attributes === '{"leap":0}')).toBeGreaterThan(0.9)
    expect(share((row) => row.attributes!.includes('warning'))).toBeGreaterThan(0)
    expect(Math.max(...rows.map((row) => row.score))).toBeLessThanOrEqual(20)
    expect(Math.min(...rows.map((row) => row.score))).toBeGreaterThanOrEqual(-100)
  })
})

await describeWithMySql('rows in a table', (database) => {
  const selected = 'id, monitor_id, server_id, timestampdiff(second, "1970-01-01", ts), score, step, `offset`, rtt'
  const inOrder = (row: SourceRow) => [row.id, row.monitorId, row.serverId, row.tsSeconds, row.score, row.step]

  test('come back as they were, at the limits of every column', async () => {
    const connection = await database.connect()
    await createSourceTables(connection)
    const property = fc.asyncProperty(hostileRows(50), async (rows) => {
      await connection.query('delete from log_scores')
      await insertRows(connection, 'log_scores', rows)
      const sql = `select ${selected}, attributes from log_scores order by id`
      const [found] = await connection.execute<RowDataPacket[][]>({ sql, rowsAsArray: true })
      const wanted = rows.map((row) => [...inOrder(row), row.offset, row.rtt, row.attributes])
      expect(found.map(([id, ...rest]) => [BigInt(String(id)), ...rest])).toEqual(wanted)
    })
    await fc.assert(property, { numRuns: 50 })
    await dropTables(connection)
    await connection.end()
  })

  test('the hostile rows really reach the limits', () => {
    const rows = fc.sample(hostileRows(100), { numRuns: 50, seed: 1 }).flat()
    expect(rows.some((row) => row.tsSeconds === maxTsSeconds)).toBe(true)
    expect(rows.some((row) => row.id > 2n ** 32n)).toBe(true)
    expect(rows.some((row) => row.rtt !== null && row.rtt < 0)).toBe(true)
    expect(rows.some((row) => row.attributes === null)).toBe(true)
  })

  test('old tables take what they have columns for', async () => {
    const connection = await database.connect()
    await createSourceTables(connection, { table: 'old', withoutRtt: true, withoutAttributes: true })
    await insertRows(connection, 'old', generateRows({ rows: 3 }))
    const [rows] = await connection.query<RowDataPacket[]>('select * from old')
    expect(Object.keys(rows[0]!)).toEqual(['id', 'monitor_id', 'server_id', 'ts', 'score', 'step', 'offset'])
    await dropTables(connection, 'old')
    await connection.end()
  })

  test('a duplicate id is an error, not a row less', async () => {
    const connection = await database.connect()
    await createSourceTables(connection, { table: 'twice' })
    await insertRows(connection, 'twice', generateRows({ rows: 3 }))
    await expect(insertRows(connection, 'twice', generateRows({ rows: 4 }))).rejects.toThrow('Duplicate')
    await connection.end()
  })

  test('a filled table has its keys again', async () => {
    const connection = await database.connect()
    await createSourceTables(connection, { table: 'large' })
    const [before] = await connection.query<RowDataPacket[]>('show create table large')
    await fillTable(connection, 'large', generateRows({ rows: 20_000 }))
    const [after] = await connection.query<RowDataPacket[]>('show create table large')
    const withoutCounter = (text: unknown) => String(text).replace(/ AUTO_INCREMENT=\d+/, '')
    expect(withoutCounter(after[0]!['Create Table'])).toBe(before[0]!['Create Table'])
    await connection.end()
  })
})
