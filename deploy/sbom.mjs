// Writes the bill of materials of the program: `npm run sbom`, after `npm run setup`. What ships is what the source maps of the
// bundle name, the packages that stay beside the bundle with all that they depend on, and Node, which is in the executable.
import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const root = resolve(import.meta.dirname, '..')
const cli = join(root, 'apps/cli')
const readManifest = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

/** The folders of all packages whose code is in the bundle. */
function bundledPackages() {
  const bundle = join(cli, 'bundle')
  const maps = readdirSync(bundle).filter((name) => name.endsWith('.map'))
  const sources = maps.flatMap((name) => JSON.parse(readFileSync(join(bundle, name), 'utf8')).sources)
  const outside = sources.filter((source) => source.includes('node_modules/'))
  return outside.map((source) => packageOf(resolve(bundle, source)))
}

/** The folder of the package that holds a file. */
function packageOf(file) {
  const [, folder] = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file) ?? []
  if (folder === undefined) throw new Error(`${file} belongs to no package`)
  return folder
}

/** The folders of a package's dependencies, and of theirs; those for other platforms are not there. */
function dependencies(folder, names, found = new Set()) {
  for (const name of names) {
    const place = locate(folder, name)
    if (place === undefined || found.has(place)) continue
    found.add(place)
    const { dependencies: own, optionalDependencies: optional } = readManifest(place)
    dependencies(place, Object.keys({ ...own, ...optional }), found)
  }
  return found
}

/** As Node finds it: in the node_modules of the folder or of one above. */
function locate(from, name) {
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    const place = join(folder, 'node_modules', name)
    if (existsSync(place)) return realpathSync(place)
  }
  return undefined
}

function component(folder) {
  const { name, version, license, licenses } = readManifest(folder)
  const [, group, plain] = /^(?:(@[^/]+)\/)?(.+)$/.exec(name)
  const named = license ?? licenses?.map(({ type }) => type).join(' OR ')
  const text = typeof named === 'object' ? named.type : named
  if (text === undefined) throw new Error(`${name}@${version} names no license`)
  const purl = `pkg:npm/${group === undefined ? '' : `${encodeURIComponent(group)}/`}${plain}@${version}`
  const base = { type: 'library', 'bom-ref': purl, ...(group !== undefined && { group }), name: plain, version, purl }
  return { ...base, licenses: [/ (?:OR|AND|WITH) /.test(text) ? { expression: text } : { license: { id: text } }] }
}

const { values } = parseArgs({ options: { out: { type: 'string', default: 'sbom.cdx.json' } } })
const { version, license, dependencies: beside } = readManifest(cli)
const folders = new Set([
  ...bundledPackages(),
  ...dependencies(cli, Object.keys(beside)),
  realpathSync(join(root, 'node_modules/node')),
])
const components = new Map([...folders].map((folder) => [component(folder).purl, component(folder)]))
const purl = `pkg:npm/%40archiver/cli@${version}`
const program = { type: 'application', 'bom-ref': purl, name: 'archiver', version, purl }
const document = {
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  version: 1,
  metadata: { component: { ...program, licenses: [{ license: { id: license } }] } },
  components: [...components.values()].sort((a, b) => (a.purl < b.purl ? -1 : 1)),
}
writeFileSync(values.out, `${JSON.stringify(document, null, 2)}\n`)
console.log(`${values.out}: ${components.size} packages of archiver ${version}`)
