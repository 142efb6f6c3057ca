import { expect, test } from 'vitest'
import { ArchiverError, errorText, RowError } from './errors.js'

test('carries code, place, hint and cause', () => {
  const cause = new Error('ENOSPC')
  const error = new ArchiverError('no space', { code: 'AVRO_SPACE', archiver: 'fileavro', hint: 'free some', cause })
  expect(error).toMatchObject({
    code: 'AVRO_SPACE',
    hint: 'free some',
    retryable: false,
    place: { archiver: 'fileavro' },
  })
  expect(error.cause).toBe(cause)
})

test('a row error names the row and the column', () => {
  const error = new RowError(7n, 'score', 'is NaN', { archiver: 'clickhouse' })
  expect(error.message).toBe('row 7, column score: is NaN')
  expect(error).toMatchObject({ code: 'ROW_UNFIT', id: 7n, column: 'score', place: { archiver: 'clickhouse' } })
})

test('anything thrown has a text', () => {
  expect(errorText('plain')).toBe('plain')
  expect(errorText(Object.assign(new Error(''), { code: 'ECONNREFUSED' }))).toBe('ECONNREFUSED')
  expect(errorText(Object.assign(new Error(), { message: 503 }))).toBe('503')
  expect(errorText(Object.assign(new Error(), { message: undefined, code: 7 }))).toBe('7')
  expect(errorText(Object.assign(new Error(''), { name: '' }))).toBe('an error without a message')
})
