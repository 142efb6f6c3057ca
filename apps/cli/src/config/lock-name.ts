import { ConfigError, type Problem } from './problem.js'

/** MySQL's limit for the name of a lock; MariaDB allows more, but the same name must work on both. */
const longestLockName = 64

export interface LockNameParts {
  /** `db_lock_prefix` */
  readonly prefix: string
  readonly database: string
  readonly table: string
  readonly defaultTable: string
}

/**
 * The name under which a pass takes GET_LOCK: `<prefix><database>` for the default table, which is the Go program's
 * name, `<prefix><database>.<table>` for another.
 *
 * @throws ConfigError when it is longer than 64 characters.
 */
export function lockName(parts: LockNameParts): string {
  const problem = lockNameProblem(parts)
  if (problem !== undefined) throw new ConfigError([problem])
  return join(parts)
}

/** What is wrong with the name, if anything. */
export function lockNameProblem(parts: LockNameParts): Problem | undefined {
  const length = [...join(parts)].length
  if (length <= longestLockName) return undefined
  const message = `the name of the lock, ${JSON.stringify(join(parts))}, has ${length} characters, and MySQL allows ${longestLockName}`
  return { variable: 'db_lock_prefix', message, hint: 'shorten the prefix, in every archiver of this database alike' }
}

function join({ prefix, database, table, defaultTable }: LockNameParts): string {
  return table === defaultTable ? prefix + database : `${prefix}${database}.${table}`
}
