import { expect, test } from 'vitest'
import { expiriesOf } from './expiry.js'

const columns = '`dt` Date, `id` UInt64, `error` Nullable(String)'
const table = (list = columns, rest = '') =>
  `CREATE TABLE d.t (${list}) ENGINE = MergeTree PARTITION BY dt ORDER BY (server_id, ts)${rest}`

test.each<[string, string, string[]]>([
  ['nothing', table(), []],
  ['a TTL', table(columns, ' TTL dt + toIntervalDay(30) SETTINGS index_granularity = 8192'), ['the table has a TTL']],
  ['a TTL with a condition', table(columns, ' TTL dt + toIntervalDay(30) WHERE id > 5'), ['the table has a TTL']],
  [
    'rows grouped',
    table(columns, ' TTL dt + toIntervalDay(9) GROUP BY id SET error = any(error)'),
    ['the table has a TTL'],
  ],
  ['rows moved', table(columns, " TTL dt + toIntervalDay(9) TO DISK 'slow', dt + toIntervalDay(99) TO VOLUME 'v'"), []],
  ['rows packed', table(columns, ' TTL dt + toIntervalDay(9) RECOMPRESS CODEC(ZSTD(17))'), []],
  [
    'rows moved and dropped',
    table(columns, " TTL dt + toIntervalDay(9) TO DISK 'slow', dt + toIntervalYear(1)"),
    ['the table has a TTL'],
  ],
  [
    'a value dropped',
    table('`dt` Date, `error` Nullable(String) TTL dt + toIntervalDay(5), `id` UInt64'),
    ['the column error has a TTL'],
  ],
  ['a value of a column that is not ours', table(`${columns}, \`note\` String TTL dt + toIntervalDay(5)`), []],
  ['a text', table("`dt` Date COMMENT 'no TTL, it\\'s kept', `id` UInt64"), []],
  [
    'a default with parentheses',
    table('`dt` Date DEFAULT toDate((ts)), `id` UInt64', ' TTL dt'),
    ['the table has a TTL'],
  ],
])('%s', (_, sql, expected) => {
  expect(expiriesOf(sql)).toEqual(expected)
})
