import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { directionProblems } from './directions.mjs'
import { workspacePackages } from './workspace.mjs'

test('every package imports only those below it', async () => {
  expect(directionProblems(await workspacePackages())).toEqual([])
})

/** A package with these sources. */
function packageOf(name, files) {
  const folder = mkdtempSync(join(tmpdir(), 'directions-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, 'src', file)), { recursive: true })
    writeFileSync(join(folder, 'src', file), text)
  }
  return { name, folder }
}

test.each([
  ['core', "import { MySqlSource } from '@archiver/mysql'", 'core may import no other package'],
  ['cleanup', "export * from '@archiver/mysql'", 'cleanup may import @archiver/core'],
  ['clickhouse', "const { x } = await import('@archiver/cli')", 'clickhouse may import @archiver/core, @archiver/avro'],
])('%s must not know it: %s', (name, text, problem) => {
  const found = directionProblems([packageOf(`@archiver/${name}`, { 'deep/a.ts': text })])
  expect(found).toEqual([expect.stringContaining(problem)])
})

test('tests, and what they use, may import any package', () => {
  const text = "import { MySqlSource } from '@archiver/mysql'"
  const files = { 'a.test.ts': text, 'testing/b.ts': text, 'c.ts': "import { x } from '@archiver/core'" }
  expect(directionProblems([packageOf('@archiver/cleanup', files)])).toEqual([])
})
