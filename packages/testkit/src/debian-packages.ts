import { mkdir, readdir, realpath, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
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
export function unpackDebianPackages(...packages: string[]): Promise<UnpackedPackages> {
  return unpacked(packages, packages.join('+'), async (root) => root)
}

/**
 * Like {@link unpackDebianPackages}, for a package of which only some programs are of use: these (`usr/bin/promtool`) and
 * the libraries are kept.
 */
export function unpackDebianPrograms(name: string, programs: readonly string[]): Promise<UnpackedPackages> {
  return unpacked([name], `${name}-programs`, (root) => keepPrograms(root, programs))
}

async function unpacked(
  packages: readonly string[],
  name: string,
  keep: (root: string) => Promise<string>,
): Promise<UnpackedPackages> {
  try {
    const root = await fetchOnce(name, async (work) => keep(await fetchInto(work, packages)))
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

/** Moves what is kept out of a tree. @returns the folder that holds it, and nothing else. */
async function keepPrograms(root: string, programs: readonly string[]): Promise<string> {
  const kept = `${root}-kept`
  const libraries = await libraryFolders(root)
  for (const path of [...programs, ...libraries]) {
    await mkdir(dirname(join(kept, path)), { recursive: true })
    // A link is followed: Debian 13 keeps the programs of some packages in others.
    await rename(await realpath(join(root, path)), join(kept, path))
  }
  return kept
}

/** Below the root: `usr/lib/x86_64-linux-gnu`. */
async function libraryFolders(root: string): Promise<string[]> {
  const found = await Promise.all(
    ['usr/lib', 'lib'].map(async (lib) => {
      const names = await readdir(join(root, lib)).catch(() => [])
      return names.filter((name) => name.includes('-linux-gnu')).map((name) => join(lib, name))
    }),
  )
  return found.flat()
}

async function withLibraries(root: string): Promise<NodeJS.ProcessEnv> {
  const folders = [...(await libraryFolders(root)), 'usr/lib', 'lib'].map((path) => join(root, path))
  const before = process.env.LD_LIBRARY_PATH
  return { ...process.env, LD_LIBRARY_PATH: [...folders, ...(before ? [before] : [])].join(':') }
}
