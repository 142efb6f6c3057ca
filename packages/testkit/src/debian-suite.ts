import { mkdir, readdir, rename, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { messageOf, ServiceUnavailable } from './errors.js'
import { findExecutable, runCommand } from './executables.js'
import { fetchOnce } from './fetch-once.js'

/** What to unpack from a Debian release that need not be the machine's own. */
export interface SuitePackages {
  /** Debian's name of the release: `bookworm` (12), `trixie` (13), `sid`. */
  readonly suite: string
  readonly packages: readonly string[]
  /** Paths below the root (`usr/sbin/mariadbd`) of the programs that the caller runs. */
  readonly programs: readonly string[]
}

const defaultMirror = 'http://deb.debian.org/debian'
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

/**
 * Packages of one Debian release with all that they depend on, the C library included, unpacked into the user's cache. Each
 * of `programs` becomes a script of the same path, which runs the program with the loader and the libraries of that release. So
 * a program of Debian 13 runs on Debian 12, for root and for anybody else, and nothing is installed.
 *
 * @returns the folder that stands for `/`
 * @throws ServiceUnavailable where there is no apt, or the packages cannot be had.
 */
export async function unpackSuitePackages({ suite, packages, programs }: SuitePackages): Promise<string> {
  try {
    return await fetchOnce([suite, ...packages].join('+'), async (work) => {
      if (!(await findExecutable('apt-get')) || !(await findExecutable('dpkg'))) throw new Error('there is no apt-get')
      const root = join(work, 'root')
      await download(work, suite, packages)
      await unpack(join(work, 'cache/archives'), root)
      for (const program of programs) await wrap(root, program)
      return root
    })
  } catch (thrown) {
    throw new ServiceUnavailable(`${packages.join(', ')} of Debian ${suite}: ${messageOf(thrown)}`, { cause: thrown })
  }
}

async function download(work: string, suite: string, packages: readonly string[]): Promise<void> {
  await mkdir(join(work, 'lists/partial'), { recursive: true })
  await mkdir(join(work, 'cache/archives/partial'), { recursive: true })
  // No package counts as installed: the C library of that release is needed too.
  await writeFile(join(work, 'status'), '')
  const source = { Types: 'deb', URIs: await mirror(), Suites: suite, Components: 'main', 'Signed-By': keyring }
  const stanza = Object.entries(source).map(([field, value]) => `${field}: ${value}\n`)
  await writeFile(join(work, 'suite.sources'), stanza.join(''))
  const settings = {
    'Dir::Etc::sourcelist': join(work, 'suite.sources'),
    'Dir::Etc::sourceparts': '-',
    'Dir::State::status': join(work, 'status'),
    'Dir::State::lists': join(work, 'lists'),
    'Dir::Cache': join(work, 'cache'),
    'APT::Install-Recommends': 'false',
    'APT::Sandbox::User': '',
    'Debug::NoLocking': 'true',
    'Acquire::Retries': '3',
  }
  const options = ['-qq', ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])]
  await runCommand('apt-get', [...options, 'update'])
  await runCommand('apt-get', [...options, 'install', '--yes', '--download-only', ...packages])
}

/** Where this machine gets its Debian packages from. */
async function mirror(): Promise<string> {
  const listed = await runCommand('apt-get', ['indextargets', '--format', '$(REPO_URI)']).catch(() => '')
  const debian = listed.split('\n').find((uri) => /\/debian\/?$/.test(uri))
  return debian?.replace(/\/$/, '') ?? defaultMirror
}

async function unpack(archives: string, root: string): Promise<void> {
  await mkdir(root)
  const files = (await readdir(archives)).filter((name) => name.endsWith('.deb'))
  for (const file of files) await runCommand('dpkg', ['-x', join(archives, file), root])
}

/** The script finds the root from its own path: what was unpacked is moved into the cache afterwards. */
async function wrap(root: string, program: string): Promise<void> {
  const path = join(root, program)
  await rename(path, `${path}.real`)
  const folders = await libraryFolders(root)
  const script = [
    '#!/bin/sh',
    'here=$(cd -- "$(dirname -- "$0")" && pwd)',
    `root=$here/${program.split('/').slice(1).fill('..').join('/')}`,
    `libraries=${folders.map((folder) => `$root/${folder}`).join(':')}`,
    `exec "$root/${await loaderIn(root, folders)}" --library-path "$libraries" "$here/${basename(program)}.real" "$@"`,
  ]
  await writeFile(path, `${script.join('\n')}\n`, { mode: 0o755 })
}

async function libraryFolders(root: string): Promise<string[]> {
  const found: string[] = []
  for (const lib of ['usr/lib', 'lib']) {
    const names = await readdir(join(root, lib)).catch(() => [])
    found.push(...names.filter((name) => name.endsWith('-linux-gnu')).map((name) => `${lib}/${name}`))
  }
  return found
}

async function loaderIn(root: string, folders: readonly string[]): Promise<string> {
  for (const folder of folders) {
    const loader = (await readdir(join(root, folder))).find((name) => /^ld-linux-.*\.so\.\d$/.test(name))
    if (loader !== undefined) return `${folder}/${loader}`
  }
  throw new Error('the packages hold no loader')
}
