import { readFile } from 'node:fs/promises'
import { describeWithClickHouse } from '@archiver/testkit/vitest'
import { expect, it } from 'vitest'
import { createClickHouseArchiver } from './archiver.js'
import { createTable } from './prepare-table.js'
import { dsnOf } from './testing/clickhouse.js'

const page = await readFile('../../docs/archives/clickhouse.md', 'utf8')
const [schema, ...examples] = [...page.matchAll(/```sql\n(.*?)```/gs)].map(([, sql]) => sql!.replace(/ --.*$/gm, ''))

it('has the statement that makes the table', () => {
  const statement = createTable('askntp', 'log_scores', { tableSettings: ['fsync_after_insert = 1'] })
  expect(plain(schema!)).toBe(plain(statement))
})

await describeWithClickHouse('docs/archives/clickhouse.md', (database) => {
  it('has examples that run', async () => {
    await using archiver = createClickHouseArchiver({ dsn: dsnOf(database) })
    await archiver.prepare('log_scores')
    await database.query(
      "INSERT INTO log_scores (dt, id) VALUES ('2026-11-01', 1), ('2026-11-01', 1), ('2026-11-01', 2)",
    )
    for (const sql of examples.flatMap((text) => text.split(';'))) {
      if (sql.trim() !== '') await database.query(sql)
    }
    expect(await database.query('SELECT id FROM log_scores ORDER BY id')).toBe('1\n2\n')
  })
})

function plain(sql: string): string {
  return sql.replace(/\s+/g, ' ').replace(/\( /g, '(').replace(/ \)/g, ')').trim()
}
