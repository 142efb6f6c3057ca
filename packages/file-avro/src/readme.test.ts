import { readmeExamples, runExample } from '@archiver/testkit/vitest'
import { expect, test } from 'vitest'
import { testFolder } from './test-support.js'

test('the example of the README runs', async () => {
  const [example] = await readmeExamples('.')
  const output = await runExample(example!, '.', { AVRO_EXAMPLE: `${await testFolder()}/archive` })
  expect(output).toMatch(/^1792454400-1000001\.avro: 1000 rows in \d+ bytes\n/)
  expect(output).toContain('id: 1000001n')
})
