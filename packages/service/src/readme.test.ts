import { createSourceTables, generateRows, insertRows } from '@archiver/testkit'
import { describeWithMySql, readmeExamples, runExample } from '@archiver/testkit/vitest'
import { expect, test } from 'vitest'

await describeWithMySql('the README', (database) => {
  test("'s example runs", async () => {
    const connection = await database.connect()
    await createSourceTables(connection, { archivers: ['clickhouse'] })
    await insertRows(connection, 'log_scores', generateRows({ rows: 250 }))
    const [example] = await readmeExamples('.')
    const output = await runExample(example!, '.', { MYSQL_EXAMPLE: database.url })
    expect(output).toContain('service.leading\n')
    expect(output).toContain('service.stopped\n')
    expect(output).toContain('clickhouse: 250 rows behind')
    await connection.end()
  })
})
