import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The packages of native code that the lockfile has for this machine and the folder lacks. Such a folder was installed for
 * another machine, or by a Node that pnpm took the packages not to fit; pnpm calls it up to date.
 *
 * @param {string} folder the root of the checkout
 * @param {{ os: string, cpu: string, libc: string }} [machine]
 * @returns {string[]} `name@version`
 */
export function missingNativePackages(folder, machine = thisMachine()) {
  const lockfile = readFileSync(join(folder, 'pnpm-lock.yaml'), 'utf8')
  const packages = lockfile.slice(lockfile.indexOf('\npackages:\n'), lockfile.indexOf('\nsnapshots:\n'))
  return [...packages.matchAll(/^ {2}'?([^\s']+)'?:\n((?: {4}.*\n)+)/gm)]
    .filter(([, , fields]) => isNative(fields) && fits(fields, machine))
    .map(([, id]) => id)
    .filter((id) => !existsSync(installedAt(folder, id)))
}

function isNative(fields) {
  return /^ {4}(os|cpu):/m.test(fields)
}

function fits(fields, machine) {
  return Object.entries(machine).every(([name, value]) => {
    const [, list] = new RegExp(`^ {4}${name}: \\[(.*)\\]`, 'm').exec(fields) ?? []
    if (list === undefined) return true
    const values = list.replaceAll("'", '').split(/,\s*/)
    return values.includes(value) || (values.some((one) => one.startsWith('!')) && !values.includes(`!${value}`))
  })
}

function installedAt(folder, id) {
  const name = id.slice(0, id.lastIndexOf('@'))
  return join(folder, 'node_modules/.pnpm', id.replaceAll('/', '+'), 'node_modules', name, 'package.json')
}

function thisMachine() {
  const libc = process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc'
  return { os: process.platform, cpu: process.arch, libc }
}

/** Removes what is installed, so that the next install begins anew. */
export function removeInstalled(folder) {
  rmSync(join(folder, 'node_modules'), { recursive: true, force: true })
}
