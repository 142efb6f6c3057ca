import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** The `ts` code blocks of a package's README.md, in order. */
export async function readmeExamples(packageFolder: string): Promise<string[]> {
  const text = await readFile(join(packageFolder, 'README.md'), 'utf8')
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code!)
}

/**
 * Runs an example as a user's own module would run: in the built package, under this Node.
 *
 * @returns what it printed. @throws Error with what it wrote to standard error.
 */
export async function runExample(code: string, packageFolder: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const args = ['--input-type=module-typescript', '--eval', code]
  const options = { cwd: packageFolder, env: { ...process.env, ...env } }
  const { stdout } = await promisify(execFile)(process.execPath, args, options)
  return stdout
}
