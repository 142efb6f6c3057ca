import { describeWithFakeGcs, readmeExamples, runExample } from '@archiver/testkit/vitest'
import { expect, test } from 'vitest'

await describeWithFakeGcs('the README', (bucket) => {
  test('has an example that runs', async () => {
    const [example] = await readmeExamples('.')
    const env = { GCS_EXAMPLE_BUCKET: bucket.name, STORAGE_EMULATOR_HOST: bucket.server.url }
    const output = await runExample(example!, '.', env)
    expect(output).toMatch(/^2026\/1792454400-1000001\.avro: 1000 rows in \d+ bytes\n/)
    expect(output).toContain('id: 1000001n')
  })

  test.each(['', '/'])('is right about STORAGE_EMULATOR_HOST, as others write it too: "%s" at the end', async (end) => {
    const [example] = await readmeExamples('.')
    const host = bucket.server.url.replace('http://', '') + end
    const output = await runExample(example!, '.', { GCS_EXAMPLE_BUCKET: bucket.name, STORAGE_EMULATOR_HOST: host })
    expect(output).toContain('1000 rows')
  })
})
