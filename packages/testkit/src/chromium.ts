import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { unpackDebianPackages } from './debian-packages.js'
import { messageOf, ServiceUnavailable } from './errors.js'
import { findExecutable } from './executables.js'

/** A browser, as Playwright's `launch` takes it. */
export interface Chromium {
  readonly executablePath: string
  readonly args: string[]
  readonly env: Record<string, string>
}

/** Headless, asking nobody on the network for anything; without its sandbox, which it does not have as root. */
const args = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
]

/**
 * The Chromium on PATH, otherwise Debian's, unpacked into the user's cache with its libraries and fonts.
 *
 * @throws ServiceUnavailable naming what to install.
 */
export async function findChromium(): Promise<Chromium> {
  const found = await findExecutable('chromium', 'chromium-browser', 'google-chrome')
  if (found) return { executablePath: found, args, env: defined(process.env) }
  try {
    const { root, env } = await unpackDebianPackages('chromium', 'fonts-inter', 'fonts-dejavu-core')
    const libraries = [env.LD_LIBRARY_PATH, ...(await librariesAside(root))].join(':')
    const fonts = await writeFontConfiguration(root)
    const own = { LD_LIBRARY_PATH: libraries, FONTCONFIG_FILE: fonts }
    return { executablePath: join(root, 'usr/lib/chromium/chromium'), args, env: defined({ ...env, ...own }) }
  } catch (thrown) {
    const hint = 'Install it (Debian: apt-get install chromium) or put chromium on PATH.'
    throw new ServiceUnavailable(`No Chromium: ${messageOf(thrown)}`, { hint, cause: thrown })
  }
}

/** Folders of libraries that find each other by paths of an installed system. */
async function librariesAside(root: string): Promise<string[]> {
  const triplets = (await readdir(join(root, 'usr/lib'))).filter((name) => name.includes('-linux-gnu'))
  return triplets.map((name) => join(root, 'usr/lib', name, 'pulseaudio'))
}

/** The fonts that were unpacked; those of the machine too, where it has any. */
async function writeFontConfiguration(root: string): Promise<string> {
  const path = join(root, 'fonts.conf')
  const folders = [join(root, 'usr/share/fonts'), '/usr/share/fonts'].map((folder) => `<dir>${folder}</dir>`).join('')
  const cache = `<cachedir>${join(root, 'fontcache')}</cachedir>`
  const names = ['Inter', 'DejaVu Sans'].map((family) => `<family>${family}</family>`).join('')
  const usual = ['sans-serif', 'system-ui'].map(
    (name) => `<alias><family>${name}</family><prefer>${names}</prefer></alias>`,
  )
  await writeFile(path, `<?xml version="1.0"?><fontconfig>${folders}${cache}${usual.join('')}</fontconfig>\n`)
  return path
}

function defined(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}
