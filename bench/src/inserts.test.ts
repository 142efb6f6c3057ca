import { setTimeout as delay } from 'node:timers/promises'
import { createSourceTables } from '@archiver/testkit'
import { describeWithMySql } from '@archiver/testkit/vitest'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { insertDuring } from './inserts.js'

await describeWithMySql('what others notice', (database) => {
  let connection: Connection
  let inserting: Connection
  beforeAll(async () => {
    connection = await database.connect()
    inserting = await database.connect()
    await createSourceTables(connection)
  })
  afterAll(() => {
    connection.destroy()
    inserting.destroy()
  })

  async function count(): Promise<number> {
    const [[row]] = await connection.query<RowDataPacket[]>('select count(*) as total from log_scores')
    return Number(row?.total)
  }

  test('rows are inserted one by one for as long as something works, and one that has to wait counts its wait', async () => {
    const { result, latencies } = await insertDuring(inserting, 'log_scores', async () => {
      await connection.query('lock tables log_scores read')
      await delay(200)
      await connection.query('unlock tables')
      await delay(100)
      return 'done'
    })
    expect(result).toBe('done')
    expect(latencies.inserts).toBe(await count())
    // Twenty were due while the table was locked.
    expect(latencies.inserts).toBeGreaterThan(20)
    expect(latencies.longestMs).toBeGreaterThan(150)
    expect(latencies.p50Ms).toBeGreaterThan(20)
  })

  test('what fails ends it', async () => {
    const work = () => Promise.reject(new Error('broken'))
    await expect(insertDuring(inserting, 'log_scores', work)).rejects.toThrow('broken')
    await expect(insertDuring(inserting, 'no_such_table', () => delay(50))).rejects.toThrow('no_such_table')
  })
})
