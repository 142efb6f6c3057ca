import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, ServiceUnavailable } from './errors.js'
import { findExecutable, runCommand } from './executables.js'
import { fetchOnce } from './fetch-once.js'

/** A tree of unpacked Debian packages. */
export interface UnpackedPackages {
  /** Stands for `/`: executables are in `<root>/usr/bin` and `<root>/usr/sbin`. */
  readonly root: string
  /** With the unpacked libraries on the loader's path. */
  readonly env: NodeJS.ProcessEnv
}

/**
 * Debian packages, with whatever they depend on and the machine lacks, unpacked into a cache folder of the user
 * (`$XDG_CACHE_HOME/ntp-archiver` or `~/.cache/ntp-archiver`). Nothing is installed and no service is started, so it
 * is the same for root and for anybody else. Later calls use what is there.
 *
 * @throws ServiceUnavailable where there is no apt, or the packages cannot be had.
 */
export async function unpackDebianPackages(...packages: string[]): Promise<UnpackedPackages> {
  try {
    const root = await fetchOnce(packages.join('+'), (work) => fetchInto(work, packages))
    return { root, env: await withLibraries(root) }
  } catch (thrown) {
    throw new ServiceUnavailable(`${packages.join(', ')}: ${messageOf(thrown)}`, { cause: thrown })
  }
}

async function fetchInto(work: string, packages: readonly string[]): Promise<string> {
  if (!(await findExecutable('apt-get')) || !(await findExecutable('dpkg'))) {
    throw new Error('not found on PATH, and this machine has no apt-get to fetch it with')
  }
  const root = join(work, 'root')
  await download(work, packages)
  await unpack(join(work, 'cache/archives'), root)
  return root
}

async function download(work: string, packages: readonly string[]): Promise<void> {
  await mkdir(join(work, 'lists/partial'), { recursive: true })
  await mkdir(join(work, 'cache/archives/partial'), { recursive: true })
  const options = {
    'Dir::State::lists': join(work, 'lists'),
    'Dir::Cache': join(work, 'cache'),
    'Dir::Cache::archives': 'archives',
    'APT::Install-Recommends': 'false',
    'APT::Sandbox::User': '',
    'Debug::NoLocking': 'true',
    'Acquire::Retries': '3',
  }
  const common = ['-qq', ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])]
  await runCommand('apt-get', [...common, 'update'])
  await runCommand('apt-get', [...common, 'install', '--yes', '--download-only', ...packages])
}

async function unpack(archives: string, root: string): Promise<void> {
  await mkdir(root)
  const files = (await readdir(archives)).filter((name) => name.endsWith('.deb'))
  // The machine's own loader and C library must stay together.
  for (const file of files.filter((name) => !/^libc6_/.test(name))) {
    await runCommand('dpkg', ['-x', join(archives, file), root])
  }
}

async function withLibraries(root: string): Promise<NodeJS.ProcessEnv> {
  const folders: string[] = []
  for (const lib of [join(root, 'usr/lib'), join(root, 'lib')]) {
    const names = await readdir(lib).catch(() => [])
    folders.push(...names.filter((name) => name.includes('-linux-gnu')).map((name) => join(lib, name)), lib)
  }
  const before = process.env.LD_LIBRARY_PATH
  return { ...process.env, LD_LIBRARY_PATH: [...folders, ...(before ? [before] : [])].join(':') }
}
