import { expect, it } from 'vitest'
import { readSettings } from './load.js'
import { reportJson, reportTable } from './report.js'

const env = {
  db_host: 'db',
  db_database: 'd\u001b[31m',
  db_user: 'a "b" \\',
  db_pass: '',
  avro_path: '/archive',
  db_timezone: 'Local',
}
const report = readSettings({ env, cwd: '/', databaseFiles: [] })

it('aligns names, values and origins, under their groups', () => {
  const lines = reportTable(report).split('\n')
  expect(lines[0]).toBe('MySQL')
  const columns = lines
    .filter((line) => line.startsWith('  '))
    .map((line) => line.search(/(environment|default|not set)$/))
  expect(new Set(columns).size).toBe(1)
  expect(lines).toContainEqual(expect.stringMatching(/^ {2}db_host +db +environment$/))
  expect(lines).toContainEqual(expect.stringMatching(/^ {2}db_pass +\(empty\) +environment$/))
  expect(lines).toContainEqual(expect.stringMatching(/^ {2}ch_dsn +- +not set$/))
})

it('shows what is wrong where it is, without what a terminal would obey', () => {
  const table = reportTable(report)
  expect(table).toContain('d\\u001b[31m (invalid)')
  expect(table).toContain('a "b" \\ ')
  expect(table).toContain('\nwarning: db_timezone=Local has no effect')
})

it('prints the same as JSON', () => {
  expect(JSON.parse(reportJson(report))).toMatchObject({
    valid: false,
    variables: expect.arrayContaining([
      { name: 'db_host', group: 'MySQL', value: 'db', origin: 'environment', valid: true },
    ]),
    problems: [{ variable: 'db_database', message: expect.stringContaining('control character') }],
    warnings: [expect.stringContaining('db_timezone')],
  })
})
