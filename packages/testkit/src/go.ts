import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { unzipSync } from 'fflate'
import { download } from './download.js'
import { messageOf, ServiceUnavailable } from './errors.js'
import { findExecutable, runCommand } from './executables.js'
import { fetchOnce } from './fetch-once.js'

/** The Go that builds what tests need; fake-gcs-server asks for 1.26. */
const version = '1.26.8'
const oldest = [1, 26] as const

/** What the checksum database of Go, sum.golang.org, has for the toolchain of each machine. */
const sums: Readonly<Record<string, string>> = {
  'linux-amd64': 'h1:ZOmGe1OnfREDMIdb1Qi4G9JSuDPBLGExZMQ4nis1RXM=',
  'linux-arm64': 'h1:sYL/O6MqS68ML0kjsQ36WoYIpJqkw60TxizWUYUKQMc=',
}

/** Go's own default. */
const defaultProxy = 'https://proxy.golang.org,direct'

/**
 * A program in Go, built once and kept in the user's cache: with the Go on PATH, otherwise (there is none, or it is older
 * than 1.26) with Go's own toolchain from the module proxy, which is verified against its published checksum.
 *
 * @param module - with its version, as `go install` takes it.
 * @returns the folder that holds the program.
 * @throws ServiceUnavailable where no Go can be had, or the module cannot be.
 */
export async function goProgram(name: string, module: string): Promise<string> {
  const [, moduleVersion] = module.split('@')
  try {
    return await fetchOnce(`${name}-${moduleVersion}`, async (work) => {
      const go = (await installedGo()) ?? (await unpackToolchain(join(work, 'toolchain')))
      // What Go downloads goes with the working folder, in which it must not be read-only then.
      const folders = { GOPATH: join(work, 'go'), GOBIN: join(work, 'bin'), GOCACHE: join(work, 'cache') }
      const settings = { GOFLAGS: '-modcacherw', CGO_ENABLED: '0', GOTOOLCHAIN: 'local' }
      await runCommand(go, ['install', '-ldflags=-s -w', module], { ...process.env, ...folders, ...settings })
      return folders.GOBIN
    })
  } catch (thrown) {
    const hint = `Put ${name} on PATH, or Go ${oldest.join('.')} or newer; or set GOPROXY to a proxy that this machine reaches.`
    throw new ServiceUnavailable(`No ${name}: ${messageOf(thrown)}`, { hint, cause: thrown })
  }
}

async function installedGo(): Promise<string | undefined> {
  const go = await findExecutable('go')
  if (go === undefined) return undefined
  const said = await runCommand(go, ['version'], { ...process.env, GOTOOLCHAIN: 'local' }).catch(() => '')
  const [major = 0, minor = 0] = (/go(\d+)\.(\d+)/.exec(said)?.slice(1) ?? []).map(Number)
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1]) ? go : undefined
}

/** @returns the path of `go`. */
async function unpackToolchain(folder: string): Promise<string> {
  const platform = `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`
  const sum = sums[platform]
  if (sum === undefined) throw new Error(`this machine has no Go, and none is known for ${platform}`)
  const module = `golang.org/toolchain@v0.0.1-go${version}.${platform}`
  const kept = await fetchOnce(`go-${version}-${platform}`, async (work) => {
    const downloaded = await downloadModule(module, work)
    const found = moduleSum(await filesOf(downloaded))
    if (found !== sum) throw new Error(`${module} has the checksum ${found}, not ${sum}`)
    return downloaded
  })
  for (const [name, bytes] of Object.entries(await filesOf(kept))) {
    const path = name.slice(module.length + 1)
    const mode = /^(bin|pkg\/tool\/[^/]+)\/[^/]+$/.test(path) ? 0o755 : 0o644
    await mkdir(join(folder, dirname(path)), { recursive: true })
    await writeFile(join(folder, path), bytes, { mode })
  }
  return join(folder, 'bin/go')
}

async function filesOf(downloaded: string): Promise<Record<string, Uint8Array>> {
  return unzipSync(await readFile(join(downloaded, 'module.zip')))
}

/** From the first of the module proxies in GOPROXY that has it. */
async function downloadModule(module: string, work: string): Promise<string> {
  const [path, moduleVersion] = module.split('@')
  const proxies = (process.env.GOPROXY || defaultProxy).split(/[,|]/).filter((proxy) => /^https?:/.test(proxy))
  if (proxies.length === 0) throw new Error('this machine has no Go, and GOPROXY names no proxy to fetch it from')
  const failures: string[] = []
  const folder = join(work, 'kept')
  await mkdir(folder)
  for (const proxy of proxies) {
    try {
      await download(`${proxy.replace(/\/$/, '')}/${path}/@v/${moduleVersion}.zip`, join(folder, 'module.zip'))
      return folder
    } catch (thrown) {
      failures.push(messageOf(thrown))
    }
  }
  throw new Error(`this machine has no Go of its own, and its module proxy does not give one: ${failures.join('; ')}`)
}

/** As Go computes it: SHA-256 of a list of the SHA-256 of each file, by name. */
export function moduleSum(files: Readonly<Record<string, Uint8Array>>): string {
  const lines = Object.keys(files)
    .sort()
    .map((name) => `${createHash('sha256').update(files[name]!).digest('hex')}  ${name}\n`)
  return `h1:${createHash('sha256').update(lines.join('')).digest('base64')}`
}
