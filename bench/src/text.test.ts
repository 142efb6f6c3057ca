import { expect, test } from 'vitest'
import { count, megabytes, seconds, textTable } from './text.js'

test('a table is aligned, numbers at the right', () => {
  const rows = [
    { what: 'drain', 'rows/s': '1,900,000', MB: '–' },
    { what: 'Avro file', 'rows/s': '990', MB: 96 },
  ]
  expect(textTable(rows)).toBe(
    [
      '| what      |    rows/s |  MB |',
      '| --------- | --------: | --: |',
      '| drain     | 1,900,000 |   – |',
      '| Avro file |       990 |  96 |',
    ].join('\n'),
  )
})

test('numbers are written for people', () => {
  expect(count(1_234_567.6)).toBe('1,234,568')
  expect(megabytes(96 * 1_048_576)).toBe('96')
  expect(seconds(2345)).toBe('2.3')
})
