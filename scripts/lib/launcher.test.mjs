import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { projectNode, root, run } from './steps.mjs'

const node = realpathSync(projectNode)

let folder
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "launcher's folder "))
  copyFileSync(join(root, 'archiver'), join(folder, 'archiver'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function build() {
  mkdirSync(join(folder, 'apps/cli/bundle'), { recursive: true })
  const main = 'console.log(JSON.stringify([process.execPath, process.execArgv, process.argv.slice(2), process.cwd()]))'
  writeFileSync(join(folder, 'apps/cli/bundle/main.js'), main)
}

function bringNode(into = join(folder, 'node_modules/node/bin')) {
  mkdirSync(into, { recursive: true })
  symlinkSync(node, join(into, 'node'))
  return into
}

/** Puts a Node on PATH that evaluates its version check as if it were `version`. */
function nodeOfVersion(version) {
  const into = join(folder, 'fake')
  mkdirSync(into)
  const define = `Object.defineProperty(process, 'versions', { value: ${JSON.stringify({ node: version })} })`
  writeFileSync(join(into, 'pretend.cjs'), define)
  writeFileSync(join(into, 'node'), `#!/bin/sh\nexec "${node}" --require "${into}/pretend.cjs" "$@"\n`, { mode: 0o755 })
  return into
}

test('runs the built CLI with the project’s Node, through a symlink, from any folder', async () => {
  build()
  bringNode()
  symlinkSync(join(folder, 'archiver'), join(folder, 'link'))
  const { stdout } = await run(join(folder, 'link'), ['archive', '-t', 'a b'], { cwd: tmpdir() })
  expect(JSON.parse(stdout)).toEqual([node, ['--max-semi-space-size=4'], ['archive', '-t', 'a b'], tmpdir()])
})

test.each(['22.15.0', '22.20.1', '24.0.0'])('takes Node %s on PATH where the project’s is missing', async (version) => {
  build()
  const env = { PATH: `${nodeOfVersion(version)}:/usr/bin:/bin` }
  const { code, stdout } = await run(join(folder, 'archiver'), ['config'], { env })
  expect(code).toBe(0)
  expect(JSON.parse(stdout)[2]).toEqual(['config'])
})

test.each(['20.20.2', '22.14.0'])('asks for the set-up where there is only Node %s', async (version) => {
  build()
  const env = { PATH: `${nodeOfVersion(version)}:/usr/bin:/bin` }
  const outcome = await run(join(folder, 'archiver'), [], { env })
  expect(outcome).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('npm --prefix') })
})

test('asks for the set-up where nothing is built', async () => {
  bringNode()
  const outcome = await run(join(folder, 'archiver'), [])
  expect(outcome).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('npm --prefix') })
})
