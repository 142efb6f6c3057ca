import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { columns } from './table.js'

const page = await readFile('../../docs/archives/bigquery.md', 'utf8')
const [schema] = [...page.matchAll(/```sql\n(.*?)```/gs)].map(([, sql]) => sql!)

test('the page has the table as it is created', () => {
  const names = { INTEGER: 'INT64', FLOAT: 'FLOAT64', STRING: 'STRING', TIMESTAMP: 'TIMESTAMP' }
  const lines = columns.map(({ name, type, mode, description }) => {
    const notNull = mode === 'REQUIRED' ? ' NOT NULL' : ''
    return `  ${name} ${names[type]}${notNull} OPTIONS (description = "${description}")`
  })
  expect(schema).toContain(`(\n${lines.join(',\n')}\n)\nPARTITION BY TIMESTAMP_TRUNC(ts, DAY)\nCLUSTER BY server_id`)
})

test('the page has every error', async () => {
  const files = ['archiver', 'bucket-spool', 'compare-rows', 'errors', 'jobs', 'load', 'loads-today', 'prepare-table']
  const sources = await Promise.all(files.map((name) => readFile(`src/${name}.ts`, 'utf8')))
  const codes = new Set(sources.join().match(/(?<=')BQ_[A-Z_]+(?=')/g))
  expect(codes.size).toBeGreaterThan(15)
  expect([...codes].filter((code) => !page.includes(`\`${code}\``))).toEqual([])
})
