import { join } from 'node:path'
import { readmeExamples, runExample } from '@archiver/testkit/vitest'
import { expect, test } from 'vitest'

const folder = join(import.meta.dirname, '..')

test('the example runs', async () => {
  const [example] = await readmeExamples(folder)
  expect(await runExample(example!, folder)).toBe('200 ready: leader\n\n')
})
