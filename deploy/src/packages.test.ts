import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, describe, expect, test } from 'vitest'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'archiver-packages-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly description?: string
  readonly license?: string
  readonly repository?: { readonly directory: string }
  readonly exports?: Readonly<Record<string, unknown>>
}

const places = [...readdirSync(join(root, 'packages')).map((name) => `packages/${name}`), 'apps/cli']
const published = places
  .filter((place) => existsSync(join(root, place, 'package.json')))
  .map((place) => ({
    place,
    manifest: JSON.parse(readFileSync(join(root, place, 'package.json'), 'utf8')) as Manifest,
  }))
  .filter(({ manifest }) => manifest.private !== true)

/** Only ES modules are published; what old resolution and require() make of them is known. */
const esModulesOnly = new Set(['node10', 'node16-cjs'])

describe.each(published)('$manifest.name', ({ place, manifest }) => {
  let packed: Promise<Buffer> | undefined

  /** The tarball as it is published. */
  async function tarball(): Promise<Buffer> {
    const out = join(folder, `${place.replaceAll('/', '-')}.tgz`)
    const pnpm = join(root, 'node_modules/.bin/pnpm')
    await run(pnpm, ['pack', '--out', out], { cwd: join(root, place) })
    return readFileSync(out)
  }

  test('says what it is, whose, and where it is from', () => {
    expect(manifest.description).toMatch(/^.{20,120}$/)
    expect(manifest).toMatchObject({ license: 'MIT', repository: { directory: place } })
    if (manifest.exports !== undefined) expect(manifest.exports['./package.json']).toBe('./package.json')
  })

  test('its tarball has the license and no map', async () => {
    packed ??= tarball()
    await packed
    const out = join(folder, `${place.replaceAll('/', '-')}.tgz`)
    const files = (await run('tar', ['-tzf', out])).stdout.trimEnd().split('\n')
    expect(files).toEqual(expect.arrayContaining(['package/LICENSE', 'package/README.md', 'package/package.json']))
    expect(files.filter((file) => /\.map$|\.test\.|\.tsbuildinfo$/.test(file))).toEqual([])
  })

  test('publint finds nothing wrong', async () => {
    packed ??= tarball()
    const bytes = await packed
    const data = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer // not shared
    const { messages, pkg } = await publint({ pack: { tarball: data }, level: 'warning', strict: true })
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([])
  })

  test.skipIf(manifest.exports === undefined)('its types are those of its modules', async () => {
    packed ??= tarball()
    const analysis = await checkPackage(createPackageFromTarballData(await packed))
    if (analysis.types === false) throw new Error('it has no types')
    const problems = analysis.problems.filter(
      (problem) => !('resolutionKind' in problem && esModulesOnly.has(problem.resolutionKind)),
    )
    expect(problems).toEqual([])
  })
})
