import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readmeExamples, runExample } from '@archiver/testkit/vitest'
import { expect, test } from 'vitest'

test('the example of the README answers with a page', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'scores-api-readme-'))
  const [example] = await readmeExamples('.')
  const output = await runExample(example!, '.', { SCORES_EXAMPLE: join(folder, 'archive') })
  expect(output).toContain('200 </api/scores?server=7&limit=2&after=1000057>; rel="next"')
  expect(output).toContain('{"scores":[{"id":1000007,"sid":7,"mid":7,"ts":1792454406,"sc":19.5')
  await rm(folder, { recursive: true })
})
