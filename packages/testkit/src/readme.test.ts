import { expect, test } from 'vitest'
import { readmeExamples, runExample } from './readme.js'
import { hasMySql } from './vitest.js'

test.skipIf(!(await hasMySql()))('the example of the README runs', async () => {
  const [example] = await readmeExamples('.')
  expect(await runExample(example!, '.')).toContain('waiting: 10000')
})

test('an example that fails says why', async () => {
  await expect(runExample('throw new Error("no such thing")', '.')).rejects.toThrow('no such thing')
})
