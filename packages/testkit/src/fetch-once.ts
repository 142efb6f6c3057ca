import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * A folder of the user's cache (`$XDG_CACHE_HOME/ntp-archiver` or `~/.cache/ntp-archiver`), filled the first time it is
 * asked for. Where several processes ask at once, one works and the others wait.
 *
 * @param fill - gets an empty folder to work in, and returns which one in it is to be kept.
 */
export async function fetchOnce(name: string, fill: (work: string) => Promise<string>): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'ntp-archiver')
  const kept = join(cache, name)
  if (await exists(kept)) return kept
  await mkdir(cache, { recursive: true })
  await using _turn = await turn(join(cache, `.${name}.lock`))
  if (await exists(kept)) return kept
  const work = await mkdtemp(join(cache, '.fetch-'))
  try {
    await rename(await fill(work), kept)
    return kept
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** Waits until no other process that lives holds the lock. */
async function turn(path: string): Promise<AsyncDisposable> {
  for (;;) {
    if (await create(path)) return { [Symbol.asyncDispose]: () => rm(path, { force: true }) }
    const owner = Number(await readFile(path, 'utf8').catch(() => ''))
    if (owner > 0 && !lives(owner)) await rm(path, { force: true })
    else await delay(100)
  }
}

async function create(path: string): Promise<boolean> {
  return writeFile(path, String(process.pid), { flag: 'wx' }).then(
    () => true,
    (thrown: NodeJS.ErrnoException) => {
      if (thrown.code === 'EEXIST') return false
      throw thrown
    },
  )
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
