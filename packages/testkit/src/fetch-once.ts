import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * A folder of the user's cache (`$XDG_CACHE_HOME/ntp-archiver` or `~/.cache/ntp-archiver`), filled the first time it is
 * asked for. Where several processes ask at once, one works and the others wait. What processes that were killed left
 * there is removed.
 *
 * @param fill - gets an empty folder to work in, and returns which one in it is to be kept.
 */
export async function fetchOnce(name: string, fill: (work: string) => Promise<string>): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'ntp-archiver')
  const kept = join(cache, name)
  await removeLeftovers(cache)
  if (await exists(kept)) return kept
  await mkdir(cache, { recursive: true })
  await using _turn = await turn(join(cache, `.${name}.lock`))
  if (await exists(kept)) return kept
  const work = await mkdtemp(join(cache, `.fetch-${ownIdentity}-`))
  try {
    await rename(await fill(work), kept).catch(async (thrown: unknown) => {
      // Another process was as quick.
      if (!(await exists(kept))) throw thrown
    })
    return kept
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** Working folders and locks of processes that live no more. */
async function removeLeftovers(cache: string): Promise<void> {
  const names = await readdir(cache).catch(() => [])
  for (const name of names) {
    const path = join(cache, name)
    if (name.startsWith('.fetch-') && !lives(name.split('-')[1])) await removeQuietly(path)
    if (name.endsWith('.lock') && (await isOrphan(path))) await removeQuietly(path)
  }
}

/** What somebody else removes or still writes to is left to the next call. */
function removeQuietly(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true }).catch(() => undefined)
}

/** Waits until no other process that lives holds the lock. */
async function turn(path: string): Promise<AsyncDisposable> {
  for (;;) {
    if (await create(path)) return { [Symbol.asyncDispose]: () => rm(path, { force: true }) }
    if (await isOrphan(path)) await rm(path, { force: true })
    else await delay(100)
  }
}

async function create(path: string): Promise<boolean> {
  return writeFile(path, ownIdentity, { flag: 'wx' }).then(
    () => true,
    (thrown: NodeJS.ErrnoException) => {
      if (thrown.code === 'EEXIST') return false
      throw thrown
    },
  )
}

/** An empty one is being written. */
async function isOrphan(lock: string): Promise<boolean> {
  const owner = await readFile(lock, 'utf8').catch(() => '')
  return owner !== '' && !lives(owner)
}

/** `<pid>_<start>`: the start, in ticks since the machine's, tells a process from a later one with the same pid. */
function identityOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return `${pid}_${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`
  } catch {
    return String(pid) // not on Linux
  }
}

const ownIdentity = identityOf(process.pid)

function lives(identity = ''): boolean {
  const [pid, start] = identity.split('_').map(Number)
  if (pid === undefined || !(pid > 0)) return false
  try {
    process.kill(pid, 0)
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EPERM') return false // what kill throws
  }
  return start === undefined || identityOf(pid) === identity
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
