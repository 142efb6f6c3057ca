import { createSourceTables, generateRows, insertRows } from '@archiver/testkit'
import { describeWithMySql, readmeExamples, runExample } from '@archiver/testkit/vitest'
import { expect, test } from 'vitest'

await describeWithMySql('the README', (database) => {
  test("'s example runs", async () => {
    const connection = await database.connect()
    await createSourceTables(connection, { archivers: ['clickhouse', 'cleanup'] })
    await insertRows(connection, 'log_scores', generateRows({ rows: 250, startSeconds: 1_700_000_000 }))
    const status = 'update log_scores_archive_status'
    await connection.query(`${status} set log_score_id = 200 where archiver = 'clickhouse'`)
    await connection.query(`${status} set modified_on = '2026-01-01' where archiver = 'cleanup'`)
    const [example] = await readmeExamples('.')
    const output = await runExample(example!, '.', { MYSQL_EXAMPLE: database.url })
    expect(output).toContain('cleanup.deleted\n')
    expect(output).toContain('199 rows deleted: marks')
    await connection.end()
  })
})
