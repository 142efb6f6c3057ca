import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { dependencyProblems } from './dependencies.mjs'
import { root } from './steps.mjs'
import { readPackage, workspacePackages } from './workspace.mjs'

const shared = Object.keys(readPackage(root).manifest.devDependencies)

test.each(await workspacePackages())('$name declares what it imports, and nothing else', (workspacePackage) => {
  expect(dependencyProblems(workspacePackage, shared)).toEqual([])
})

describe('finds', () => {
  let folder
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dependencies-'))
    mkdirSync(join(folder, 'src'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  function problems(manifest, files) {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'src', name), text)
    return dependencyProblems({ name: 'own', folder, manifest: { name: 'own', ...manifest } }, ['vitest'])
  }

  test('nothing where all is well', () => {
    const manifest = { dependencies: { '@a/b': '1', c: '1' }, devDependencies: { d: '1', '@types/c': '1' } }
    const source =
      "import x from '@a/b/deep'\nimport type {\n  y,\n} from 'c'\nimport { z } from 'node:fs'\nimport './e.js'\nBuffer.from('f')"
    const test = "import { test } from 'vitest'\nconst d = await import('d')\nimport own from 'own'"
    expect(problems(manifest, { 'a.ts': source, 'a.test.ts': test })).toEqual([])
  })

  test('a dependency that only tests import, and one that nothing imports', () => {
    const manifest = { dependencies: { a: '1' }, devDependencies: { b: '1' } }
    expect(problems(manifest, { 'a.test.ts': "import a from 'a'" })).toEqual([
      'a: nothing shipped imports it',
      'b: nothing imports it',
    ])
  })

  test('an import that is not declared, or only for tests', () => {
    const manifest = { devDependencies: { b: '1' } }
    expect(problems(manifest, { 'a.ts': "import b from 'b'", 'a.test.ts': "import a from 'a'" })).toEqual([
      'b: imported, but no dependency',
      'a: imported by a test, but not declared',
    ])
  })
})
