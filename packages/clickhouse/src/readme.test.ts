import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readmeExamples, runExample } from '@archiver/testkit/vitest'
import { expect, test } from 'vitest'

test('the example of the README runs', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'clickhouse-readme-'))
  const [example] = await readmeExamples('.')
  const output = await runExample(example!, '.', { CH_EXAMPLE: `chdb://${join(folder, 'clickhouse')}` })
  await rm(folder, { recursive: true })
  expect(output).toContain('stored 2 rows as archiver_default.log_scores_1')
  expect(output).toContain('there: all')
})
