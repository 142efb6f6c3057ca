import { fileURLToPath } from 'node:url'
import type { MySqlAddress } from '@archiver/testkit'
import { type Measured, measure, type Program } from './measure.js'

/** The folder of the whole repository. */
export const repository = fileURLToPath(new URL('../..', import.meta.url))

/** Settings of the archiver, by variable. */
export type Variables = Readonly<Record<string, string>>

/** How `./archiver` reaches the source. */
export function sourceVariables({ host, port, database, user, password }: MySqlAddress): Variables {
  return { db_host: `${host}:${port}`, db_database: database, db_user: user, db_pass: password }
}

export interface Launch extends Pick<Program, 'cwd' | 'signal' | 'showErrors' | 'dropOutput'> {
  readonly args: readonly string[]
  readonly variables?: Variables
}

/** Runs the real launcher, with no settings but those given: whatever this machine's environment says. */
export function launch({ args, variables, ...options }: Launch): Promise<Measured> {
  return measure({ command: `${repository}archiver`, args, env: { ...plainEnv(), ...variables }, ...options })
}

function plainEnv(): NodeJS.ProcessEnv {
  const kept = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TERM', 'COLORTERM', 'NO_COLOR', 'LD_LIBRARY_PATH']
  return Object.fromEntries(
    kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  )
}
