import { missingNativePackages, removeInstalled } from './native-packages.mjs'
import { npxArgs } from './npx-args.mjs'
import { commandStep, pinnedPnpm, root, run } from './steps.mjs'

/**
 * Installs exactly what the lockfile says and builds every package. Needs Node >= 20 with npm, and a network the first
 * time. @returns {Promise<boolean>} whether it went well; otherwise it has said why
 */
export async function installAndBuild() {
  return (
    (await install()) && (await commandStep('Building every package', 'turbo', ['build', '--output-logs=errors-only']))
  )
}

/** A folder that was installed for another machine, or by a Node of another version, is installed anew. */
async function install() {
  const pnpm = pinnedPnpm()
  const npm = (await run('npx', ['--version'])).stdout.trim()
  const args = [...npxArgs(pnpm, npm), 'install', '--frozen-lockfile']
  if (!(await commandStep(`Installing the locked dependencies with ${pnpm}`, 'npx', args))) return false
  const missing = missingNativePackages(root)
  if (missing.length === 0) return true
  removeInstalled(root)
  return commandStep(`Installing anew, because this machine's ${missing.join(', ')} is missing`, 'npx', args)
}
