import { readdirSync, readFileSync, statSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'

/**
 * Where a built package's imports and its package.json disagree: what it ships (`files`) may import only what npm would
 * install with it, everything else only what is declared, and nothing is declared that nothing imports.
 *
 * @param {import('./workspace.mjs').WorkspacePackage} workspacePackage
 * @param {string[]} shared what the root's package.json provides for the tests and tools of all packages
 * @returns {string[]} one sentence for each
 */
export function dependencyProblems({ folder, manifest }, shared) {
  const { dependencies = {}, peerDependencies = {}, devDependencies = {} } = manifest
  const shipped = importedBy(shippedFiles(folder, manifest), manifest.name)
  const written = importedBy(sourceFiles(folder), manifest.name)
  const installed = new Set([...Object.keys(dependencies), ...Object.keys(peerDependencies)])
  const declared = new Set([...installed, ...Object.keys(devDependencies), ...shared])
  const without = (names, others) => [...names].filter((name) => !others.has(name))
  return [
    ...without(Object.keys(dependencies), shipped).map(
      (name) => `${name}: a dependency, but nothing shipped imports it`,
    ),
    ...without(shipped, installed).map((name) => `${name}: what is shipped imports it, but it is no dependency`),
    ...without(written, declared).map((name) => `${name}: imported, but not declared`),
    ...Object.keys(devDependencies)
      .filter((name) => !(name in peerDependencies || written.has(name) || written.has(name.replace('@types/', ''))))
      .map((name) => `${name}: a devDependency, but nothing imports it`),
  ]
}

function shippedFiles(folder, { files = [] }) {
  const entries = files.filter((entry) => !entry.startsWith('!')).map((entry) => join(folder, entry))
  const folders = entries.filter((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory())
  return folders.flatMap((path) => filesIn(path, /\.(js|d\.ts)$/))
}

function sourceFiles(folder) {
  return filesIn(folder, /^((src|test)\/.*\.m?ts|[^/]*\.config\.ts|\.vitepress\/config\.ts|(linux\/)?[^/]*\.mjs)$/)
}

function filesIn(folder, pattern) {
  const names = readdirSync(folder, { recursive: true }).map(String)
  return names.filter((name) => pattern.test(name)).map((name) => join(folder, name))
}

const statement = /^(?:import|export|\})(?:[^'"\n]*\bfrom)?\s*['"]([^'".][^'"\n]*)['"]/gm
const call =
  /(?<![.\w])(?:import|createRequire\(import\.meta\.url\)|import\.meta\.resolve)\(\s*['"]([^'".][^'"\n]*)['"]/g

function importedBy(files, self) {
  const texts = files.map((file) => readFileSync(file, 'utf8'))
  const found = texts.flatMap((text) => [...text.matchAll(statement), ...text.matchAll(call)])
  const names = found.map(([, specifier]) => specifier).filter((specifier) => !isBuiltin(specifier))
  return new Set(names.map(packageOf).filter((name) => name !== self))
}

function packageOf(specifier) {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
