import { expect, test } from 'vitest'
import { UsageError } from '../exit-codes.js'
import { parseNames } from './choose-archivers.js'

test.each([
  ['', null],
  ['y', null],
  ['none', []],
  ['No', []],
  ['clickhouse', ['clickhouse']],
  ['clickhouse, cleanup  fileavro,clickhouse', ['clickhouse', 'cleanup', 'fileavro']],
])('the answer %j', (answer, names) => {
  expect(parseNames(answer)).toEqual(names)
})

test('the answer is no archiver', () => {
  expect(() => parseNames('fileavro clickhose')).toThrow(UsageError)
})
