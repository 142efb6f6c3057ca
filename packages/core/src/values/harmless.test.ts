import { expect, test } from 'vitest'
import { errorText } from '../contract/errors.js'
import { harmlessLine, harmlessLines, harmlessText, harmlessValue } from './harmless.js'

test.each([
  ['a newline that would forge a line of the log', 'bad\n[12:00] INFO: all is well', 'bad [12:00] INFO: all is well'],
  ['carriage return and tab', 'a\r\tb', 'a b'],
  ['a colour', 'a \x1b[31mred\x1b[0m', 'a red'],
  ['the title of a window', 'a \x1b]0;evil\x07b', 'a b'],
  ['an escape alone', 'a\x1bb', 'a b'],
  ['controls of eight bits', 'a\x9b31mb\x85c', 'ab c'],
  ['NUL and DEL', 'a\0b\x7fc', 'a b c'],
  ['separators of lines and paragraphs', 'a\u2028b\u2029c', 'a b c'],
  ['a reversal', 'a\u202egnp.exe', 'agnp.exe'],
  ['isolates and marks', '\u2066a\u2069\u200e\u200f\u061cb', 'ab'],
  ['what cannot be seen', 'a\u200b\ufeff\u00ad\u{e0041}b', 'ab'],
  ['half a character', 'a\ud800b', 'a\ufffdb'],
  ['what everybody writes', 'Größe 東京 🙂 — "x" `y`', 'Größe 東京 🙂 — "x" `y`'],
])('%s', (_, text, shown) => {
  expect(harmlessText(text).replaceAll(/ +/g, ' ')).toBe(shown)
})

test.each([
  'password=tops3cret',
  'PASSWORD = "tops3cret with spaces"',
  "db_pass='tops3cret'",
  'pwd=tops3cret;host=x',
  '{"password":"tops3cret"}',
  'user_password: tops3cret',
  'http://user:tops3cret@10.0.0.5:8123/db',
  'tcp://:tops3cret@host:9000',
  'ntp:tops3cret@tcp(db:3306)/askntp',
  "create user x identified by 'tops3cret'",
  "alter user x identified with mysql_native_password as 'tops3cret'",
  "set password = password('tops3cret')",
  'Authorization: Bearer tops3cret',
  'Authorization: Basic dG9wczNjcmV0tops3cret',
  'X-ClickHouse-Key: tops3cret',
  'token=tops3cret&x=1',
  '?X-Goog-Signature=tops3cret',
  'access_token="tops3cret"',
  'ya29.tops3cret',
  'eyJhbGciOi.tops3cret.tops3cret',
  'upload_id=tops3cret',
  '-----BEGIN PRIVATE KEY----- tops3cret\n-----END PRIVATE KEY-----',
  '{"private_key": "tops3cret", "a": 1}',
])('no secret: %s', (text) => {
  expect(harmlessText(`the server says: ${text}`)).not.toContain('tops3cret')
})

test.each([
  'the user or password is wrong',
  'Check db_user, db_pass and the grants of that user.',
  'Syntax error: failed at position 5 (unexpected token): x',
  'MySQL at 127.0.0.1:3306, database askntp, user ntp: nothing listens there',
  'Duplicate entry for key PRIMARY',
])('stays: %s', (text) => {
  expect(harmlessText(text)).toBe(text)
})

test('a long text is cut, however long it is', () => {
  expect(harmlessText('x'.repeat(10_000_000))).toBe(`${'x'.repeat(2_000)}…`)
  expect(harmlessLine('y'.repeat(501))).toBe(`${'y'.repeat(500)}…`)
})

test('no text takes long', () => {
  const hostile = [
    'a:',
    '://a:',
    'password',
    '"token":',
    'identified by ',
    '-----BEGIN',
    '\x1b]',
    '\x1b[',
    'a@tcp(',
  ].map((part) => part.repeat(1_000_000 / part.length))
  const startedMs = performance.now()
  for (const text of hostile) harmlessText(text)
  expect(performance.now() - startedMs).toBeLessThan(2_000)
})

test('the lines of a text of ours stay lines', () => {
  expect(harmlessLines('two things:\n  a\x1b[2J\n  b')).toBe('two things:\n  a\n  b')
})

test('every text of a value', () => {
  const value = { a: 'x\ny', 'b\u202e': ['p\x1b[1mq', 1, null], stack: 'Error: a\n    at b\x07' }
  expect(harmlessValue(value)).toEqual({ a: 'x y', b: ['pq', 1, null], stack: 'Error: a\n    at b' })
})

test('an error of another program', () => {
  expect(errorText(new Error('no\nway, password=tops3cret'))).toBe('no way, password=…')
})
