import { readmeExamples, runExample } from '@archiver/testkit/vitest'
import { expect, test } from 'vitest'
import { rowsIn, startFake } from './testing/fake.js'

test('the example of the README runs', async () => {
  await using fake = await startFake()
  const [example] = await readmeExamples('.')
  const env = { BQ_EXAMPLE_PROJECT: fake.projectId, BIGQUERY_EMULATOR_HOST: fake.url }
  const output = await runExample(example!, '.', env)
  expect(output).toContain('stored 1000 rows with the job archiver_ntp-log_scores_1_1')
  expect(output).toContain('there: all')
  expect(await rowsIn(fake)).toHaveLength(1000)
})

test('no client is loaded with the package', async () => {
  const code = `
import { createRequire } from 'node:module'
import { createBigQueryArchiver } from '@archiver/bigquery'
await using archiver = createBigQueryArchiver({ projectId: 'ntppool', dataset: 'ntp' })
await archiver.validate()
console.log(Object.keys(createRequire(import.meta.url).cache).length)
`
  // The clients are CommonJS modules: each would be in the cache.
  expect(await runExample(code, '.')).toBe('0\n')
})
