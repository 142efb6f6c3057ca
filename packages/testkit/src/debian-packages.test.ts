import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { unpackDebianPackages } from './debian-packages.js'
import { ServiceUnavailable } from './errors.js'
import { findExecutable, runCommand } from './executables.js'

const apt = await findExecutable('apt-get')
let cache: string
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'testkit-cache-'))
  vi.stubEnv('XDG_CACHE_HOME', cache)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(cache, { recursive: true })
})

test.skipIf(!apt)('a package comes with its libraries, twice at once without harm', async () => {
  const [one, two] = await Promise.all([unpackDebianPackages('hello'), unpackDebianPackages('hello')])
  expect(one.root).toBe(two.root)
  expect(one.env.LD_LIBRARY_PATH).toContain(one.root)
  expect(await runCommand(join(one.root, 'usr/bin/hello'), [], one.env)).toContain('Hello')
  expect(await readdir(join(cache, 'ntp-archiver'))).toEqual(['hello'])
  const before = await stat(one.root)
  await unpackDebianPackages('hello')
  expect((await stat(one.root)).mtimeMs).toBe(before.mtimeMs)
})

test('a package that cannot be had leaves nothing behind', async () => {
  await expect(unpackDebianPackages('no-such-package-anywhere')).rejects.toThrow(ServiceUnavailable)
  expect(await readdir(join(cache, 'ntp-archiver')).catch(() => [])).toEqual([])
})
