import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { unpackDebianPackages, unpackDebianPrograms } from './debian-packages.js'
import { ServiceUnavailable } from './errors.js'
import { runCommand } from './executables.js'
import { describeNeeding, program } from './vitest.js'

let cache: string
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'testkit-cache-'))
  vi.stubEnv('XDG_CACHE_HOME', cache)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(cache, { recursive: true })
})

const needs = { apt: program('apt-get', 'Run the tests on Debian.') }

await describeNeeding('Debian', needs, () => {
  test('a package comes with its libraries, twice at once without harm', async () => {
    const [one, two] = await Promise.all([unpackDebianPackages('hello'), unpackDebianPackages('hello')])
    expect(one.root).toBe(two.root)
    expect(one.env.LD_LIBRARY_PATH).toContain(one.root)
    expect(await runCommand(join(one.root, 'usr/bin/hello'), [], one.env)).toContain('Hello')
    expect(await readdir(join(cache, 'ntp-archiver'))).toEqual(['hello'])
    const before = await stat(one.root)
    await unpackDebianPackages('hello')
    expect((await stat(one.root)).mtimeMs).toBe(before.mtimeMs)
  })

  test('of a package only the programs and the libraries are kept', async () => {
    const { root } = await unpackDebianPrograms('hello', ['usr/bin/hello'])
    expect(await runCommand(join(root, 'usr/bin/hello'), [])).toContain('Hello')
    expect((await readdir(root, { recursive: true })).sort()).toEqual(['usr', 'usr/bin', 'usr/bin/hello'])
  })
})

test('a package that cannot be had leaves nothing behind', async () => {
  await expect(unpackDebianPackages('no-such-package-anywhere')).rejects.toThrow(ServiceUnavailable)
  expect(await readdir(join(cache, 'ntp-archiver')).catch(() => [])).toEqual([])
})
