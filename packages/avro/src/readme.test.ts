import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readmeExamples, runExample } from '@archiver/testkit/vitest'
import { expect, test } from 'vitest'

test('the example of the README runs', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'avro-readme-'))
  const [example] = await readmeExamples('.')
  const output = await runExample(example!, '.', { AVRO_EXAMPLE: join(folder, 'example.avro') })
  await rm(folder, { recursive: true })
  expect(output).toMatch(/wrote \d+ bytes/)
  expect(output).toContain("{ note: 'demo' }")
  expect(output).toContain('1000 rows, the first { id: 5000000000n,'.replace('{ id', '{\n  id'))
})
