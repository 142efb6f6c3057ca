import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { privateFolder } from './compile-cache.js'
import { runCli } from './e2e/run-cli.js'

const root = mkdtempSync(join(tmpdir(), 'archiver-cache-'))
afterAll(() => rmSync(root, { recursive: true }))

function folder(...names: readonly string[]): string {
  const path = join(root, ...names)
  mkdirSync(path, { recursive: true, mode: 0o700 })
  return path
}

test('a missing folder is made, for this account alone', () => {
  const made = privateFolder(join(folder('new'), 'cache', 'archiver'))
  expect(made).toBe(join(root, 'new', 'cache', 'archiver'))
  expect(statSync(made!).mode & 0o777).toBe(0o700)
  expect(privateFolder(made!)).toBe(made)
})

test.each([0o777, 0o750, 0o701])('a folder of mode %i is not used', (mode) => {
  const path = folder(`mode-${mode}`)
  chmodSync(path, mode)
  expect(privateFolder(path)).toBeUndefined()
})

test('a link to a private folder is not used', () => {
  const path = join(folder('links'), 'link')
  symlinkSync(folder('target'), path)
  expect(privateFolder(path)).toBeUndefined()
})

test('a folder that others can move away is not used', () => {
  const path = folder('open', 'cache')
  chmodSync(join(root, 'open'), 0o777)
  expect(privateFolder(path)).toBeUndefined()
  chmodSync(join(root, 'open'), 0o1777)
  expect(privateFolder(path)).toBe(path)
})

test.runIf(process.getuid?.() === 0)('the folder of another account is not used', () => {
  const [own, parent] = [folder('foreign'), folder('foreign-parent', 'cache')]
  chownSync(own, 1, 1)
  chownSync(join(root, 'foreign-parent'), 1, 1)
  expect(privateFolder(own)).toBeUndefined()
  expect(privateFolder(parent)).toBeUndefined()
})

test.each(['/proc/nope', '/proc/nope/deep/folder', '/dev/null/x', 'relative\0'])(
  '%s is no folder, and it ends',
  (path) => {
    expect(privateFolder(path)).toBeUndefined()
  },
)

test.each(['TMPDIR', 'HOME', 'XDG_CACHE_HOME'])('a %s that cannot be used does not matter', async (name) => {
  const run = await runCli(['--version'], { [name]: '/proc/nope' })
  expect(run).toMatchObject({ code: 0, stderr: '' })
})

test('no code is left in the folder for temporary files', async () => {
  const TMPDIR = folder('tmp')
  expect(await runCli(['--version'], { TMPDIR })).toMatchObject({ code: 0 })
  expect(readdirSync(TMPDIR)).toEqual([])
})
