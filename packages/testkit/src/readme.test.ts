import { expect, test } from 'vitest'
import { readmeExamples, runExample } from './readme.js'
import { describeNeeding, findMySqlPrograms } from './vitest.js'

await describeNeeding('the README', { mysql: findMySqlPrograms }, () => {
  test('its example runs', async () => {
    const [example] = await readmeExamples('.')
    expect(await runExample(example!, '.')).toContain('waiting: 10000')
  })
})

test('an example that fails says why', async () => {
  await expect(runExample('throw new Error("no such thing")', '.')).rejects.toThrow('no such thing')
})
