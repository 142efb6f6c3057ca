import { expect, test } from 'vitest'
import { scoresPaths } from './openapi.js'
import { pageQuery } from './request-query.js'

const limits = { defaultLimit: 10, maxLimit: 100 }
const examples: Readonly<Record<string, string>> = {
  ...{ server: '1', monitor: '0', from_id: '5', to_id: '9', after: '6', limit: '7', format: 'ndjson' },
  ...{ from_time: '2026-11-01', to_time: '@1793491200', from: '5', to: '2026-11-02' },
}

test('every parameter that is described is taken, and no other one', () => {
  const { parameters } = scoresPaths()['/api/scores']!.get
  for (const { name } of parameters) {
    expect(pageQuery(new URLSearchParams({ [name]: examples[name]! }), undefined, limits)).toMatchObject({})
  }
  const known = parameters.map(({ name }) => name)
  expect(() => pageQuery(new URLSearchParams({ other: '1' }), undefined, limits)).toThrow(
    `known are ${known.join(', ')}`,
  )
})
