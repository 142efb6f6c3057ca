import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { createTableSql } from './sql.js'

const page = await readFile('../../docs/archives/bigquery.md', 'utf8')
const [schema] = [...page.matchAll(/```sql\n(.*?)```/gs)].map(([, sql]) => sql!)

test('the page has the table as it is created', () => {
  const statement = createTableSql({ projectId: 'ntppool', dataset: 'ntp', table: 'log_scores' })
  expect(schema!.trim()).toBe(statement)
})

test('the page has every error', async () => {
  const files = ['archiver', 'bucket-spool', 'compare-rows', 'errors', 'jobs', 'load', 'loads-today', 'prepare-table']
  const sources = await Promise.all(files.map((name) => readFile(`src/${name}.ts`, 'utf8')))
  const codes = new Set(sources.join().match(/(?<=')BQ_[A-Z_]+(?=')/g))
  expect(codes.size).toBeGreaterThan(15)
  expect([...codes].filter((code) => !page.includes(`\`${code}\``))).toEqual([])
})
