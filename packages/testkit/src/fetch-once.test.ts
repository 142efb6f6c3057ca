import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
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

test('what killed processes left in the cache is removed by the next call, even if nothing is fetched', async () => {
  await fetchOnce('thing', fill)
  const { pid } = spawnSync(process.execPath, ['--version'])
  for (const name of [`.fetch-${pid}_123-abc`, '.fetch-abcdef', `.fetch-${process.pid}_1-later`]) {
    await mkdir(join(cache, name, 'half'), { recursive: true })
  }
  await writeFile(join(cache, '.other.lock'), `${process.pid}_1`)
  await fetchOnce('thing', fill)
  expect(await readdir(cache)).toEqual(['thing'])
})

test('what a process that lives is working on stays', async () => {
  const begun = Promise.withResolvers<string>()
  const goOn = Promise.withResolvers<void>()
  const slow = fetchOnce('slow', async (work) => {
    begun.resolve(work)
    await goOn.promise
    return fill(work)
  })
  const work = await begun.promise
  await fetchOnce('thing', fill)
  expect((await readdir(cache)).sort()).toEqual([basename(work), '.slow.lock', 'thing'].sort())
  goOn.resolve()
  await slow
  expect((await readdir(cache)).sort()).toEqual(['slow', 'thing'])
})

test('a failure leaves nothing, and the next try may succeed', async () => {
  await expect(fetchOnce('thing', () => Promise.reject(new Error('no network')))).rejects.toThrow('no network')
  expect(await readdir(cache)).toEqual([])
  await fetchOnce('thing', fill)
})
