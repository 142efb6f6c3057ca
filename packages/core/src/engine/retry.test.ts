import { expect, test } from 'vitest'
import { ArchiverError } from '../contract/errors.js'
import { pause } from '../values/time.js'
import { backoffMs, DEFAULT_RETRY, isRetryable } from './retry.js'

test('waits grow up to a bound, half of each left to chance', () => {
  const waits = (random: number) => [2, 3, 4, 5, 6, 7, 50].map((attempt) => backoffMs(DEFAULT_RETRY, attempt, random))
  expect(waits(1)).toEqual([500, 1000, 2000, 4000, 8000, 8000, 8000])
  expect(waits(0)).toEqual([250, 500, 1000, 2000, 4000, 4000, 4000])
})

test('only what passes by itself is tried again', () => {
  expect(isRetryable(new ArchiverError('', { code: 'X', retryable: true }))).toBe(true)
  expect(isRetryable(new ArchiverError('', { code: 'X' }))).toBe(false)
  expect(isRetryable(new ArchiverError('', { code: 'LOCK_LOST', retryable: true }))).toBe(false)
  expect(isRetryable(new Error('ECONNRESET'))).toBe(false)
})

test('a pause ends with the reason of the signal', async () => {
  const leave = new AbortController()
  const pausing = pause(60_000, new AbortController().signal, leave.signal)
  leave.abort(new Error('enough'))
  await expect(pausing).rejects.toThrow('enough')
})
