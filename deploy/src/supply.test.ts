import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describeNeeding, gitCheckout } from '@archiver/testkit/vitest'
import { afterAll, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { copyCheckout } from './scratch-root.js'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const manifest = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
const folder = mkdtempSync(join(tmpdir(), 'archiver-supply-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Sbom {
  readonly bomFormat: string
  readonly metadata: { readonly component: Component }
  readonly components: readonly Component[]
}
interface Component {
  readonly group?: string
  readonly name: string
  readonly version: string
  readonly licenses: readonly ({ readonly license: { readonly id: string } } | { readonly expression: string })[]
}

/** `name@version` of all packages whose modules are in the bundle, by its source maps. */
function bundled(): Set<string> {
  const bundle = join(root, 'apps/cli/bundle')
  const maps = readdirSync(bundle).filter((name) => name.endsWith('.map'))
  const sources = maps.flatMap(
    (name) => (JSON.parse(readFileSync(join(bundle, name), 'utf8')) as { sources: string[] }).sources,
  )
  const versions = sources.flatMap((source) => source.match(/\.pnpm\/([^/_(]+@[^/_(]+)/)?.[1] ?? [])
  return new Set(versions.map((name) => name.replace('+', '/')))
}

test('the bill of materials names every package whose code is in the program', async () => {
  const file = join(folder, 'sbom.json')
  await run(process.execPath, [join(root, manifest.scripts.sbom!.replace(/^node /, '')), '--out', file])
  const sbom = JSON.parse(readFileSync(file, 'utf8')) as Sbom
  const named = new Set(
    sbom.components.map(({ group, name, version }) => `${group ? `${group}/` : ''}${name}@${version}`),
  )
  expect(sbom.bomFormat).toBe('CycloneDX')
  expect(bundled().size).toBeGreaterThan(20)
  expect([...bundled()].filter((name) => !named.has(name))).toEqual([])
  const { version } = JSON.parse(read('apps/cli/package.json')) as { version: string }
  expect(sbom.metadata.component).toMatchObject({ name: 'archiver', version })
  for (const { licenses } of sbom.components) expect(JSON.stringify(licenses)).toMatch(/"(?:id|expression)":"[^"]+"/)
  const names = sbom.components.map(({ group, name }) => (group ? `${group}/${name}` : name))
  // What stays beside the bundle ships, and Node in the executable; what only tests need does not.
  expect(names).toEqual(expect.arrayContaining(['yaml', 'snappy', 'pino-pretty', 'node']))
  for (const name of ['vitest', 'turbo', 'typescript', '@biomejs/biome', 'fast-check'])
    expect(names).not.toContain(name)
})

await describeNeeding('releases', { git: gitCheckout(root) }, ({ git }) => {
  test('a changeset becomes a line of the CHANGELOG.md for upgraders, above those of earlier releases', async () => {
    const copy = join(folder, 'copy')
    copyCheckout(root, copy, [])
    await run(git, ['init', '--quiet', '--initial-branch=main'], { cwd: copy })
    writeFileSync(join(copy, '.changeset/one-more.md'), "---\n'@archiver/cli': patch\n---\n\nA word to who upgrades.\n")
    await run(join(root, 'node_modules/.bin/changeset'), ['version'], { cwd: copy })
    const text = readFileSync(join(copy, 'apps/cli/CHANGELOG.md'), 'utf8')
    expect(text).toMatch(/A word to who upgrades\..*## 1\.0\.0\n\n### Major Changes.*Upgrading from the Go archiver/s)
  })
})

test('Drone runs the script that CI runs', () => {
  const [pipeline] = parseAllDocuments(read('.drone.yml')).map((document) => document.toJS())
  expect(pipeline.steps[0].commands.at(-1)).toBe('.ci/run')
  expect(pipeline.steps[0].environment).toEqual({ CI: 'true' })
  expect(read('.ci/run')).toContain('exec npm test')
  const { version } = JSON.parse(read('node_modules/node/package.json')) as { version: string }
  expect(pipeline.steps[0].commands.join('\n')).toContain(`node-v${version}-`)
  expect(read('deploy/Dockerfile')).toContain(`node:${version}-`)
  const parts = JSON.parse(read('deploy/linux/parts.json')) as Record<string, { node: { package: string } }>
  for (const { node } of Object.values(parts)) expect(node.package).toContain(`@${version}`)
})
