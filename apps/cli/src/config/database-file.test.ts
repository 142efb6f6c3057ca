import { expect, it } from 'vitest'
import { parseDatabaseFile } from './database-file.js'

const empty = { dsn: '', user: '', pass: '', dbname: '', warnings: [] }

it.each([
  ['mysql:\n  dsn: u:p@tcp(h)/db\n', { ...empty, dsn: 'u:p@tcp(h)/db' }],
  ['mysql: {user: u, pass: 0123, dbname: 42}', { ...empty, user: 'u', pass: '0123', dbname: '42' }],
  ['mysql:\n  pass: "p#w: \\u00fc"\n  user:\n', { ...empty, pass: 'p#w: ü' }],
  ['{"mysql": {"pass": "true"}}', { ...empty, pass: 'true' }],
  [
    'other: 1\nmysql: {passs: x}',
    { ...empty, warnings: ['mysql.passs is not known and not used; did you mean pass?'] },
  ],
])('reads %j', (content, file) => {
  expect(parseDatabaseFile(content)).toEqual(file)
})

it.each(['clickhouse: {dsn: s3cret}', '{}', 'other: [1]\npostgres: {}'])('finds nothing in %j', (content) => {
  expect(parseDatabaseFile(content)).toBeNull()
})

it.each([
  ['', 'has no section mysql'],
  ['s3cret', 'has no section mysql'],
  ['mysql: s3cret', 'has no section mysql'],
  ['mysql: [s3cret]', 'has no section mysql'],
  ['mysql: {pass: {s3cret: 1}}', 'has a mysql.pass that is not a text'],
  ['mysql:\n  pass: "s3cret\n', 'is not valid YAML'],
  ['mysql:\n  pass: s3cret\n user: x', 'line 3 is not valid YAML'],
  ['mysql: {pass: *s3cret}', 'is not valid YAML'],
  ['mysql:', 'has no section mysql'],
])('refuses %j without repeating it', (content, message) => {
  expect(() => parseDatabaseFile(content)).toThrow(message)
  expect(() => parseDatabaseFile(content)).not.toThrow('s3cret')
})
