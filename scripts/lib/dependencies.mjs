import { readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'

/** What only tests and tools need may be imported only by these. */
const isTestFile = (path) => /\.test\.m?ts$|\.config\.ts$/.test(path)

/**
 * Where a package's imports and its package.json disagree: a dependency that nothing imports, an import that is not
 * declared, or one of a shipped file that only the tests declare.
 *
 * @param {import('./workspace.mjs').WorkspacePackage} workspacePackage
 * @param {string[]} shared what the root's package.json provides for the tests and tools of all packages
 * @returns {string[]} one sentence for each
 */
export function dependencyProblems({ folder, manifest }, shared) {
  const { dependencies = {}, peerDependencies = {}, devDependencies = {} } = manifest
  const files = sourceFiles(folder)
  const shipped = importedBy(
    files.filter((path) => !isTestFile(path)),
    manifest.name,
  )
  const tests = importedBy(files.filter(isTestFile), manifest.name)
  const atRunTime = { ...dependencies, ...peerDependencies }
  const declared = { ...atRunTime, ...devDependencies, ...Object.fromEntries(shared.map((name) => [name, ''])) }
  return [
    ...Object.keys(dependencies)
      .filter((name) => !shipped.has(name))
      .map((name) => `${name}: nothing shipped imports it`),
    ...Object.keys(devDependencies)
      .filter((name) => !shipped.has(typed(name)) && !tests.has(typed(name)))
      .map((name) => `${name}: nothing imports it`),
    ...[...shipped].filter((name) => !(name in atRunTime)).map((name) => `${name}: imported, but no dependency`),
    ...[...tests].filter((name) => !(name in declared)).map((name) => `${name}: imported by a test, but not declared`),
  ]
}

/** `@types/yargs` is used where `yargs` is. */
function typed(name) {
  return name.startsWith('@types/') ? name.slice('@types/'.length) : name
}

function sourceFiles(folder) {
  const names = readdirSync(folder, { recursive: true }).map(String)
  const own = names.filter((name) => /^(src\/.*|[^/]*)\.ts$/.test(name))
  return own.map((name) => join(folder, name))
}

function importedBy(files, self) {
  const specifier =
    /(?:(?<![.\w])(?:from|import)\b|import\.meta\.resolve|require(?:\.resolve)?)\s*\(?\s*'([^'.][^'\n]*)'/g
  const names = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(specifier)].map(([, name]) => packageOf(name)),
  )
  return new Set(names.filter((name) => !isBuiltin(name) && name !== self))
}

function packageOf(specifier) {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
