import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Servers are often installed where an ordinary user's PATH does not look. */
const serverFolders = [
  '/usr/sbin',
  '/sbin',
  '/usr/local/sbin',
  '/usr/libexec',
  '/usr/local/mysql/bin',
  '/opt/homebrew/bin',
]

/** The path of the first of `names` that is installed, or undefined. ARCHIVER_TEST_WITHOUT names some to do without: `git,go`. */
export async function findExecutable(...names: string[]): Promise<string | undefined> {
  const folders = foldersOf(process.env.PATH)
  const without = process.env.ARCHIVER_TEST_WITHOUT?.split(',') ?? []
  for (const name of names.filter((one) => !without.includes(one))) {
    for (const folder of folders) {
      const path = join(folder, name)
      if (await isExecutable(path)) return path
    }
  }
  return undefined
}

/** The same environment; its PATH ends with the folders of servers and of the system's tools, which a user's often lacks. */
export function withServerFolders(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, PATH: foldersOf(env.PATH).join(delimiter) }
}

function foldersOf(path = ''): string[] {
  const given = path.split(delimiter).filter(Boolean)
  return [...given, ...serverFolders.filter((folder) => !given.includes(folder))]
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

/** Runs a command to its end. @returns its standard output. @throws Error with the end of its standard error. */
export async function runCommand(
  command: string,
  args: readonly string[],
  env = process.env,
  cwd?: string,
): Promise<string> {
  try {
    return (await run(command, args, { env: withServerFolders(env), cwd, maxBuffer: 64 << 20 })).stdout
  } catch (thrown) {
    const output = thrown as { stderr?: string; message: string } // what execFile rejects with
    const lines = (output.stderr || output.message).trim().split('\n').slice(-5).join('\n')
    throw new Error(`${command} failed: ${lines}`, { cause: thrown })
  }
}
