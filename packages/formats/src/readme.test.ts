import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readmeExamples, runExample } from '@archiver/testkit/vitest'
import { expect, test } from 'vitest'

test('the example of the README writes every format', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'formats-readme-'))
  const [example] = await readmeExamples('.')
  const output = await runExample(example!, '.', { FORMATS_EXAMPLE: folder })
  expect(output).toMatch(/^ndjson: \d+ bytes\ncsv: \d+ bytes\nparquet: \d+ bytes\navro: \d+ bytes\n$/)
  await rm(folder, { recursive: true })
})
