import { expect, it } from 'vitest'
import { nearestName } from './nearest.js'

const known = ['batch_ch_max_size', 'batch_ch_min_size', 'batch_bq_max_size', 'db_host', 'db_pass']

it.each([
  ['bacth_ch_max_size', 'batch_ch_max_size'],
  ['batch_ch_min_siz', 'batch_ch_min_size'],
  ['DB_HOST', 'db_host'],
  ['db_pas', 'db_pass'],
  ['db_paths', 'db_pass'],
])('takes %s for %s', (typed, name) => {
  expect(nearestName(typed, known)).toBe(name)
})

it.each(['TZ', 'NODE_OPTIONS', 'avro_path'])('takes %s for nothing', (typed) => {
  expect(nearestName(typed, known)).toBeUndefined()
})
