import type { LockNames } from '@archiver/mysql'
import { ConfigError, type Problem } from './problem.js'

/** MySQL's limit for the name of a lock; MariaDB allows more, but the same name must work on both. */
const MAX_CHARACTERS = 64

export interface LockNameParts {
  /** `db_lock_prefix` */
  readonly prefix: string
  readonly database: string
  readonly table: string
  readonly defaultTable: string
}

/** What the Go program's names begin with; an early and a late version of it do not read `db_lock_prefix`. */
const GO_PREFIX = 'archiver-'

/**
 * The names that a pass takes with GET_LOCK.
 *
 * Three versions of the Go program lock `archiver-<database>` (release 1.3.7), `<prefix><database>` and `archiver-<table>`
 * (development). For the default table all of them are held. For another table X these are `<prefix><database>.X` and
 * `archiver-X`, and no Go program may hold a name of the database at the start.
 *
 * @throws ConfigError when one is longer than 64 characters.
 */
export function lockNames(parts: LockNameParts): LockNames {
  const problem = lockNameProblem(parts)
  if (problem !== undefined) throw new ConfigError([problem])
  return { ...compose(parts), spelled: (database) => compose({ ...parts, database }) }
}

/** What is wrong with the names, if anything. */
export function lockNameProblem(parts: LockNameParts): Problem | undefined {
  const { name, others = [] } = compose(parts)
  const long = [name, ...others].find((one) => lengthOf(one) > MAX_CHARACTERS)
  if (long === undefined) return undefined
  return {
    variable: long === name ? 'db_lock_prefix' : 'db_database',
    message: `the name of the lock, ${JSON.stringify(long)}, has ${lengthOf(long)} characters, and MySQL allows ${MAX_CHARACTERS}`,
    hint:
      long === name
        ? 'shorten the prefix, in every archiver of this database alike'
        : 'a Go archiver takes the lock of this name, so it has to be held; give the database or the table a shorter name',
  }
}

function compose({ prefix, database, table, defaultTable }: LockNameParts): LockNames {
  const own = (ofDatabase: string, ofTable = table): string => `${prefix}${ofDatabase}.${ofTable}`
  const ofDatabase = unique([`${prefix}${database}`, GO_PREFIX + database])
  const shared = { name: GO_PREFIX + table, ofDatabase: (other: string) => [GO_PREFIX + other, own(other)] }
  if (table !== defaultTable) {
    const ours = unique([...ofDatabase, GO_PREFIX + defaultTable, own(database, defaultTable)])
    return { name: own(database), others: [shared.name], shared, foreign: ofDatabase, ours }
  }
  const [name = '', ...others] = unique([...ofDatabase, shared.name])
  if (!others.includes(shared.name)) return { name, others }
  const instead = own(database)
  return { name, others, shared: { ...shared, ...(lengthOf(instead) <= MAX_CHARACTERS && { instead }) } }
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)]
}

function lengthOf(name: string): number {
  return [...name].length
}
