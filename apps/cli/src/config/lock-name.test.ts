import { expect, it } from 'vitest'
import { lockNames } from './lock-name.js'

const parts = { prefix: 'archiver-', database: 'askntp', table: 'log_scores', defaultTable: 'log_scores' }
const heldNames = ({ name, others = [] }: ReturnType<typeof lockNames>) => [name, ...others]

it('are those of all versions of the Go program for the default table', () => {
  expect(heldNames(lockNames(parts))).toEqual(['archiver-askntp', 'archiver-log_scores'])
  expect(heldNames(lockNames({ ...parts, prefix: 'a-' }))).toEqual([
    'a-askntp',
    'archiver-askntp',
    'archiver-log_scores',
  ])
  expect(lockNames(parts).foreign).toBeUndefined()
})

it('are each taken once where two of them are equal', () => {
  expect(heldNames(lockNames({ ...parts, database: 'log_scores' }))).toEqual(['archiver-log_scores'])
})

it('are the Go program’s and one of our own for another table, beside those that no Go program may hold', () => {
  const names = lockNames({ ...parts, prefix: 'a-', table: 'log_scores_test' })
  expect(heldNames(names)).toEqual(['a-askntp.log_scores_test', 'archiver-log_scores_test'])
  expect(names.foreign).toEqual(['a-askntp', 'archiver-askntp'])
})

it('have 64 characters at most, and the variable that can be changed is named', () => {
  expect(heldNames(lockNames({ ...parts, database: 'ü'.repeat(55) }))[0]).toHaveLength(64)
  expect(() => lockNames({ ...parts, database: 'd'.repeat(56) })).toThrow(
    /db_lock_prefix: .* has 65 characters, and MySQL allows 64/,
  )
  const long = { ...parts, prefix: 'a-', database: 'd'.repeat(56) }
  expect(() => lockNames(long)).toThrow(/db_database: .*"archiver-d+", has 65 characters/)
  const table = 't'.repeat(56)
  expect(() => lockNames({ ...parts, prefix: '', table })).toThrow(/"archiver-t+", has 65 characters/)
})
