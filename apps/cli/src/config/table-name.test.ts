import { expect, it } from 'vitest'
import { chooseTable } from './table-name.js'

const choice = { defaultTable: 'log_scores', validTables: ['log_scores', 'log_scores_test'] }

it.each([
  [undefined, 'log_scores'],
  ['log_scores_test', 'log_scores_test'],
])('takes %s as %s', (asked, table) => {
  expect(chooseTable(choice, asked)).toBe(table)
})

it.each(['', 'servers', 'log_scores; drop table x'])('refuses %j', (asked) => {
  expect(() => chooseTable(choice, asked)).toThrow(
    `--table: ${JSON.stringify(asked)} is not one of log_scores, log_scores_test`,
  )
})
