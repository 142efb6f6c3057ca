import { join } from 'node:path'
import { messageOf, ServiceUnavailable } from './errors.js'
import { findExecutable, runCommand } from './executables.js'
import { fetchOnce } from './fetch-once.js'

/** A Python that can import certain packages. */
export interface Python {
  /** Runs a script. @returns what it printed. @throws Error with the end of its standard error. */
  run(script: string, ...args: string[]): Promise<string>
}

/**
 * The Python on PATH with packages from PyPI (`fastavro==1.12.1`), kept in the user's cache; nothing is installed on the
 * machine.
 *
 * @throws ServiceUnavailable where there is no Python 3, or the packages cannot be had.
 */
export async function pythonWith(...packages: string[]): Promise<Python> {
  const python = await findExecutable('python3')
  try {
    if (!python) throw new Error('no python3 on PATH')
    const version = (await runCommand(python, ['-c', 'import sys; print(sys.implementation.cache_tag)'])).trim()
    const folder = await fetchOnce([version, ...packages].join('+'), async (work) => {
      const target = join(work, 'packages')
      const quiet = ['--quiet', '--disable-pip-version-check', '--no-cache-dir']
      await runCommand(python, ['-m', 'pip', 'install', ...quiet, '--target', target, ...packages])
      return target
    })
    const env = { ...process.env, PYTHONPATH: folder }
    return { run: (script, ...args) => runCommand(python, ['-c', script, ...args], env) }
  } catch (thrown) {
    const hint = 'Install Python 3 with pip (Debian: apt-get install python3-pip).'
    throw new ServiceUnavailable(`No ${packages.join(', ')} for Python: ${messageOf(thrown)}`, { hint, cause: thrown })
  }
}
