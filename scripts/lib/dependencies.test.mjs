import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { dependencyProblems } from './dependencies.mjs'
import { root } from './steps.mjs'
import { readPackage, workspacePackages } from './workspace.mjs'

const shared = Object.keys(readPackage(root).manifest.devDependencies)

// The bundle of the command line has some megabytes to look through.
const patient = { timeout: 60_000 }
test.each(await workspacePackages())(
  '$name declares what it imports, and nothing else',
  patient,
  (workspacePackage) => {
    expect(dependencyProblems(workspacePackage, shared)).toEqual([])
  },
)

describe('finds', () => {
  let folder
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dependencies-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  function problems(dependencies, files) {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
    const manifest = { name: 'own', files: ['dist', '!dist/x', 'README.md'], ...dependencies }
    return dependencyProblems({ name: 'own', folder, manifest }, ['vitest'])
  }

  test('nothing where all is well', () => {
    const declared = { dependencies: { '@a/b': '1', c: '1' }, devDependencies: { d: '1', '@types/c': '1' } }
    const source = [
      "import x from '@a/b/deep'",
      "import type {\n  y,\n} from 'c'",
      "import { z } from 'node:fs'",
      "export { e } from './e.js'",
      "Buffer.from('f')",
    ].join('\n')
    const tests = "import { test } from 'vitest'\nconst d = await import('d')\nimport own from 'own'"
    expect(problems(declared, { 'src/a.ts': source, 'src/a.test.ts': tests, 'dist/a.js': source })).toEqual([])
  })

  test('a dependency that only tests import, and one that nothing imports', () => {
    const declared = { dependencies: { a: '1' }, devDependencies: { b: '1' } }
    expect(problems(declared, { 'src/a.test.ts': "import a from 'a'" })).toEqual([
      'a: a dependency, but nothing shipped imports it',
      'b: a devDependency, but nothing imports it',
    ])
  })

  test('an import that npm would not install, and one that is not declared at all', () => {
    const declared = { devDependencies: { b: '1' } }
    const files = {
      'src/a.ts': "import b from 'b'",
      'dist/a.js': 'import b from "b"',
      'src/a.test.ts': "import a from 'a'",
    }
    expect(problems(declared, files)).toEqual([
      'b: what is shipped imports it, but it is no dependency',
      'a: imported, but not declared',
    ])
  })
})
