import { expect, test } from 'vitest'
import { insertIds, sessionsOf } from './insert-ids.js'

test('the inserts of a batch use two sessions in turn, so that none waits for the end of the one before', () => {
  const ids = [1, 2, 3, 4].map((part) => insertIds('batch', part))
  expect(ids.map(({ queryId }) => queryId)).toEqual(['batch', 'batch.2', 'batch.3', 'batch.4'])
  const [odd, even] = sessionsOf('batch')
  expect(ids.map(({ sessionId }) => sessionId)).toEqual([odd, even, odd, even])
  expect(odd).not.toBe(even)
})
