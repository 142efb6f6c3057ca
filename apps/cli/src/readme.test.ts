import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readmeExamples, runExample } from '@archiver/testkit/vitest'
import { expect, test } from 'vitest'
import { runCli } from './e2e/run-cli.js'

const root = join(import.meta.dirname, '../../..')

test("the project README's example stores rows in a file and reads them back", async () => {
  const [example] = await readmeExamples(root)
  const folder = await mkdtemp(join(tmpdir(), 'archiver-readme-'))
  const output = await runExample(example!, join(root, 'packages/file-avro'), { AVRO_EXAMPLE: join(folder, 'archive') })
  expect(output).toContain('1792454400-1000001.avro: 1000 rows')
})

test.each(['README.md', 'apps/cli/README.md'])('%s names every command, and no other', async (file) => {
  const { stdout } = await runCli(['--help'], {})
  const commands = [...stdout.matchAll(/^ {2}archiver (\w+)/gm)].map(([, name]) => name!)
  const text = await readFile(join(root, file), 'utf8')
  const named = new Set([...text.matchAll(/^(?:\.\/)?archiver ([a-z]+)/gm)].map(([, name]) => name!))
  expect(commands).toEqual(expect.arrayContaining([...named]))
  if (file !== 'README.md') expect([...named].sort()).toEqual(commands.sort())
})
