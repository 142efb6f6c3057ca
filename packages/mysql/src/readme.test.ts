import { createSourceTables, generateRows, insertRows } from '@archiver/testkit'
import { describeWithMySql, readmeExamples, runExample } from '@archiver/testkit/vitest'
import { expect, test } from 'vitest'

await describeWithMySql('the README', (database) => {
  test("'s example runs", async () => {
    const connection = await database.connect()
    await createSourceTables(connection)
    await insertRows(connection, 'log_scores', generateRows({ rows: 250 }))
    await connection.end()
    const [example] = await readmeExamples('.')
    const output = await runExample(example!, '.', { MYSQL_EXAMPLE: database.url })
    expect(output).toContain('250 rows up to id 250')
  })
})
