import { commandStep, pinnedPnpm } from './steps.mjs'

/**
 * Installs exactly what the lockfile says and builds every package. Needs Node >= 20 with npm, and a network the first
 * time. @returns {Promise<boolean>} whether it went well; otherwise it has said why
 */
export async function installAndBuild() {
  const pnpm = pinnedPnpm()
  const install = ['--yes', pnpm, 'install', '--frozen-lockfile']
  return (
    (await commandStep(`Installing the locked dependencies with ${pnpm}`, 'npx', install)) &&
    (await commandStep('Building every package', 'turbo', ['build', '--output-logs=errors-only']))
  )
}
