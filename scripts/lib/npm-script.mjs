import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { installAndBuild } from './install-and-build.mjs'
import { optionsHelp, readOptions } from './options.mjs'
import { projectNode, root } from './steps.mjs'

/**
 * Reads the options, sets the checkout up, and runs a built program with the values as its one argument, as JSON.
 *
 * @param {{ name: string, about: string, options: Record<string, import('./options.mjs').Option>, program: string }} script
 * @returns {Promise<number>} the exit code: the program's, 1 where the set-up failed, 2 for bad options
 */
export async function runNpmScript({ name, about, options, program }) {
  const args = process.argv.slice(2)
  if (args.includes('--help') || args.includes('-h')) {
    console.log(`npm run ${name} -- [options]\n\n${about}\n\n${optionsHelp(options)}`)
    return 0
  }
  let values
  try {
    values = readOptions(args, options, process.env)
  } catch (error) {
    console.error(`${name}: ${error.message}`)
    return 2
  }
  if (!(await installAndBuild())) return 1
  return runToTheEnd(projectNode, [join(root, program), JSON.stringify(values)])
}

/** A signal is passed on, and waited for: the program cleans up what it started. */
function runToTheEnd(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'inherit' })
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
    child.on('error', (error) => {
      console.error(error.message)
      resolve(1)
    })
    child.on('close', (code) => resolve(code ?? 1))
  })
}
