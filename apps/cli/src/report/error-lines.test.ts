import { ArchiverError } from '@archiver/core'
import { expect, test } from 'vitest'
import { errorFields, errorLine } from './error-lines.js'

const error = new ArchiverError('the disk is full', {
  code: 'AVRO_PATH_FULL',
  operation: 'store',
  archiver: 'fileavro',
  table: 'log_scores',
  afterId: 2n ** 60n,
  upToId: 2n ** 60n + 5n,
  hint: 'Free some space.',
  cause: new Error('ENOSPC'),
})

test('one line says who, what, which rows and what to do', () => {
  expect(errorLine(error)).toBe(
    'fileavro: the disk is full (ids 1152921504606846977 to 1152921504606846981). Free some space.',
  )
  expect(errorLine(error, 'fileavro')).toMatch(/^the disk is full/)
  expect(errorLine(new Error('plain'))).toBe('plain')
})

test('the fields of a log line are JSON, ids exact', () => {
  expect(JSON.parse(JSON.stringify(errorFields(error)))).toEqual({
    code: 'AVRO_PATH_FULL',
    message: 'the disk is full',
    hint: 'Free some space.',
    retryable: false,
    operation: 'store',
    archiver: 'fileavro',
    table: 'log_scores',
    afterId: '1152921504606846976',
    upToId: '1152921504606846981',
    cause: 'ENOSPC',
  })
})
