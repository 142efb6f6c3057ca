import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, run } from './steps.mjs'

/**
 * @typedef {object} WorkspacePackage
 * @property {string} name
 * @property {string} folder absolute
 * @property {Record<string, any>} manifest its package.json
 */

/** Every package of the workspace but the root. @returns {Promise<WorkspacePackage[]>} */
export async function workspacePackages() {
  const { code, stdout, output } = await run('pnpm', ['list', '--recursive', '--depth=-1', '--json'])
  if (code !== 0) throw new Error(output)
  return JSON.parse(stdout)
    .filter(({ path }) => path !== root && existsSync(join(path, 'package.json')))
    .map(({ path }) => readPackage(path))
}

/** @returns {WorkspacePackage} */
export function readPackage(folder) {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return { name: manifest.name, folder, manifest }
}
