import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ServiceUnavailable } from '@archiver/testkit'
import { fetchOnce, findExecutable, runCommand, unpackDebianPrograms } from '@archiver/testkit/tools'
import { program, rootOfOwn } from '@archiver/testkit/vitest'

/** A folder that stands for `/`: the C and C++ libraries that an executable asks for, it itself as `/archiver`, no Node. */
export function layRoot(root: string, executable: string): void {
  for (const folder of ['archive', 'spool']) mkdirSync(join(root, folder), { recursive: true })
  layLibraries(root, executable)
  copyFileSync(executable, join(root, 'archiver'))
  chmodSync(join(root, 'archiver'), 0o755)
}

/** What a base image has for an executable: its libraries, `/etc` and a `/tmp` for everybody. */
export function layLibraries(root: string, executable: string): void {
  for (const folder of ['tmp', 'etc']) mkdirSync(join(root, folder), { recursive: true })
  chmodSync(join(root, 'tmp'), 0o1777)
  const libraries = execFileSync('ldd', [executable], { encoding: 'utf8' }).match(/\/\S+/g) ?? []
  for (const path of [...libraries, ...restOfTheCLibrary()]) {
    mkdirSync(join(root, dirname(path)), { recursive: true })
    copyFileSync(path, join(root, path))
  }
}

/** What every system with a C library has of it, though the executable does not link to it: snappy's library does. */
function restOfTheCLibrary(): string[] {
  const folder = `/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`
  const names = ['librt.so.1', 'libutil.so.1', 'libresolv.so.2', 'libnss_files.so.2', 'libnss_dns.so.2']
  return names.map((name) => join(folder, name)).filter(existsSync)
}

/**
 * The words that run `/archiver` with that folder as `/` and these variables alone, as root or in a user namespace. They
 * become the program itself: its process is the one that is started.
 */
export async function commandInside(root: string, env: Readonly<Record<string, string>>): Promise<string[]> {
  const assignments = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  // Nothing has a PATH any more to find it on.
  const [env_, chroot] = await Promise.all(['env', 'chroot'].map((name) => program(name, 'Put it on PATH.')()))
  return [env_!, '-i', ...assignments, ...(await rootOfOwn()), chroot!, root, '/archiver']
}

const arm64Program = 'usr/bin/qemu-aarch64-static'

/** An emulator of arm64 with the libraries that its programs need. @throws ServiceUnavailable where it cannot be had. */
export async function arm64Emulator(): Promise<{ readonly command: string; readonly args: readonly string[] }> {
  if (process.arch === 'arm64') throw new ServiceUnavailable('No emulator of x64 on arm64', { alsoInCi: true })
  const found = await findExecutable('qemu-aarch64-static', 'qemu-aarch64')
  const command = found ?? join((await unpackDebianPrograms('qemu-user-static', [arm64Program])).root, arm64Program)
  return { command, args: ['-L', await arm64Libraries()] }
}

/** Debian's C and C++ libraries for arm64, unpacked into the user's cache. */
async function arm64Libraries(): Promise<string> {
  try {
    return await fetchOnce('arm64-libraries', async (work) => {
      const root = join(work, 'root')
      for (const deb of await downloadArm64(work, ['libc6', 'libgcc-s1', 'libstdc++6'])) {
        await runCommand('dpkg', ['-x', deb, root])
      }
      // Debian 13 packs the loader in /usr/lib, and leaves /lib to the package base-files.
      if (!existsSync(join(root, 'lib'))) symlinkSync('usr/lib', join(root, 'lib'))
      return root
    })
  } catch (thrown) {
    throw new ServiceUnavailable(`No libraries for arm64: ${(thrown as Error).message}`, { cause: thrown })
  }
}

async function downloadArm64(work: string, names: readonly string[]): Promise<string[]> {
  for (const folder of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(work, folder), { recursive: true })
  const settings = [
    `Dir::State::lists=${work}/lists`,
    `Dir::Cache=${work}/cache`,
    'APT::Architectures::=arm64',
    `APT::Architectures::=${process.arch === 'arm64' ? 'arm64' : 'amd64'}`,
    'APT::Sandbox::User=',
    'Debug::NoLocking=true',
    'Acquire::Retries=3',
  ]
  const options = ['-qq', ...settings.flatMap((setting) => ['-o', setting])]
  await runCommand('apt-get', [...options, 'update'])
  const uris = await runCommand('apt-get', [
    ...options,
    'download',
    '--print-uris',
    ...names.map((name) => `${name}:arm64`),
  ])
  const files = [...uris.matchAll(/ (\S+\.deb) /g)].map(([, file]) => basename(file!))
  // apt downloads into the working folder.
  execFileSync('apt-get', [...options, 'download', ...names.map((name) => `${name}:arm64`)], { cwd: work })
  return files.map((file) => join(work, file))
}

/** Copies what git knows of a checkout, and its changes, to a folder; what is in `ignored` (paths) is left out. */
export function copyCheckout(from: string, to: string, ignored: readonly string[]): void {
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: from })
  const skipped = (file: string) => ignored.some((path) => file === path || file.startsWith(`${path}/`))
  for (const file of list.toString().split('\0')) {
    if (file === '' || skipped(file) || !existsSync(join(from, file))) continue
    mkdirSync(dirname(join(to, file)), { recursive: true })
    cpSync(join(from, file), join(to, file))
  }
}
