import { expect, test } from 'vitest'
import { NameCounts, OTHER_NAMES, unacknowledged, unknownKeys } from './unarchived.js'

test.each([
  ['{}', undefined],
  ['{"leap":3,"stratum":2,"no_response":true,"error":"x","warning":"y","from_ls_id":1,"from_ss_id":2}', undefined],
  ['{"kod":"RATE"}', ['kod']],
  ['{"leap":1,"Kod":1,"nts":{"a":1}}', ['Kod', 'nts']],
  ['{"":1}', ['(empty)']],
])('of %s the unknown keys are %j', (json, keys) => {
  expect(unknownKeys(JSON.parse(json))).toEqual(keys)
})

test('however many keys a text has, and whatever they are, few and harmless names come of it', () => {
  const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`key${i}`, i]))
  expect(unknownKeys(many)).toHaveLength(8)
  expect(unknownKeys(many)).toContain(OTHER_NAMES)
  const [name] = unknownKeys({ [`\u001b[2J\n${'x'.repeat(1_000)}`]: 1 })!
  expect(name).toMatch(/^[ -~]{1,64}$/)
})

test('however many names are counted, the counts stay few and no row is left out', () => {
  const counts = new NameCounts()
  for (let i = 0; i < 10_000; i++) counts.add(`key${i}`, 1)
  const record = counts.toRecord()
  expect(Object.keys(record).length).toBeLessThan(40)
  expect(Object.values(record).reduce((sum, rows) => sum + rows, 0)).toBe(10_000)
  expect(record[OTHER_NAMES]).toBeGreaterThan(9_000)
})

test('what is acknowledged is not told', () => {
  const unarchived = { columns: { nts: 5 }, keys: { kod: 2, rate: 1 } }
  expect(unacknowledged(unarchived)).toEqual(unarchived)
  expect(unacknowledged(unarchived, ['kod', 'nts'])).toEqual({ columns: {}, keys: { rate: 1 } })
  expect(unacknowledged(unarchived, ['kod', 'nts', 'rate'])).toBeNull()
  expect(unacknowledged(unarchived, 'ok')).toBeNull()
})
