import type { RowDataPacket } from 'mysql2/promise'
import { expect, test } from 'vitest'
import { createSourceTables, dropTables } from './schema.js'
import { describeWithMySql } from './vitest.js'

await describeWithMySql('the source tables', (database) => {
  test('have the columns of the pool, and a status row without a mark for each archiver', async () => {
    const connection = await database.connect()
    await createSourceTables(connection, { archivers: ['fileavro', 'cleanup'] })
    const [columns] = await connection.query<RowDataPacket[]>('describe log_scores')
    const types = columns.map(({ Field, Type, Null }) => `${Field} ${Type.replace(/\(\d+\)/, '')} ${Null}`)
    expect(types).toEqual([
      'id bigint unsigned NO',
      'monitor_id int unsigned YES',
      'server_id int unsigned NO',
      'ts datetime NO',
      'score double NO',
      'step double NO',
      'offset double YES',
      'rtt mediumint YES',
      'attributes text YES',
    ])
    const [status] = await connection.query<RowDataPacket[]>('select * from log_scores_archive_status order by id')
    expect(status).toMatchObject([
      { archiver: 'fileavro', log_score_id: null },
      { archiver: 'cleanup', log_score_id: null },
    ])
    await connection.end()
  })

  test('a mark is an existing id, and its row stays', async () => {
    const connection = await database.connect()
    await createSourceTables(connection, { table: 'other', archivers: ['fileavro'] })
    const mark = (id: number) => connection.query('update other_archive_status set log_score_id = ?', [id])
    await expect(mark(5)).rejects.toThrow('foreign key')
    await connection.query("insert into other (id, server_id, ts) values (5, 1, '2026-11-01')")
    await mark(5)
    await expect(connection.query('delete from other')).rejects.toThrow('foreign key')
    await connection.end()
  })

  test('are dropped, however many of them there are', async () => {
    const connection = await database.connect()
    for (const table of ['log_scores', 'other', 'never_there']) await dropTables(connection, table)
    const [tables] = await connection.query<RowDataPacket[]>('show tables')
    expect(tables).toEqual([])
    await connection.end()
  })
})
