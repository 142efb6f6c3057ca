import { expect, it } from 'vitest'
import { lockName } from './lock-name.js'

const parts = { prefix: 'archiver-', database: 'askntp', table: 'log_scores', defaultTable: 'log_scores' }

it('is the Go program’s for the default table', () => {
  expect(lockName(parts)).toBe('archiver-askntp')
})

it('has the table in it for another', () => {
  expect(lockName({ ...parts, table: 'log_scores_test' })).toBe('archiver-askntp.log_scores_test')
})

it('has 64 characters at most', () => {
  expect(lockName({ ...parts, database: 'ü'.repeat(55) })).toHaveLength(64)
  expect(() => lockName({ ...parts, database: 'd'.repeat(56) })).toThrow(
    /db_lock_prefix: .* has 65 characters, and MySQL allows 64/,
  )
})
