import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { fetchOnce } from './fetch-once.js'

let cache: string
beforeEach(async () => {
  const home = await mkdtemp(join(tmpdir(), 'testkit-cache-'))
  vi.stubEnv('XDG_CACHE_HOME', home)
  cache = join(home, 'ntp-archiver')
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(join(cache, '..'), { recursive: true })
})

async function fill(work: string): Promise<string> {
  await mkdir(join(work, 'kept'))
  await writeFile(join(work, 'kept', 'file'), 'content')
  return join(work, 'kept')
}

test('is filled once, however many ask at the same time, and holds nothing else', async () => {
  let filled = 0
  const ask = () => fetchOnce('thing', (work) => fill(work).finally(() => filled++))
  const [folder] = await Promise.all([ask(), ask(), ask()])
  expect(await readFile(join(folder!, 'file'), 'utf8')).toBe('content')
  expect(filled).toBe(1)
  expect(await readdir(cache)).toEqual(['thing'])
})

test('what a killed process left does not stop the next', async () => {
  await mkdir(cache)
  const { pid } = spawnSync(process.execPath, ['--version'])
  await writeFile(join(cache, '.thing.lock'), String(pid))
  await fetchOnce('thing', fill)
  expect(await readdir(cache)).toEqual(['thing'])
})

test('a failure leaves nothing, and the next try may succeed', async () => {
  await expect(fetchOnce('thing', () => Promise.reject(new Error('no network')))).rejects.toThrow('no network')
  expect(await readdir(cache)).toEqual([])
  await fetchOnce('thing', fill)
})
