import { ConfigError, UnfitValue } from './problem.js'

/** MySQL's 64 characters less those of the longest suffix, `_archive_status`. */
const longestTableName = 64 - '_archive_status'.length
const safe = /^[A-Za-z0-9_]+$/

/**
 * A name that is safe in SQL, in a path and in every archive: letters, digits and underscores, with room for the
 * suffixes of its status and batch tables.
 *
 * @throws UnfitValue
 */
export function parseTableName(name: string): string {
  if (!safe.test(name)) throw new UnfitValue('is not made of letters, digits and underscores alone')
  if (name.length > longestTableName) throw new UnfitValue(`has a name longer than ${longestTableName} characters`)
  return name
}

/** The table to work on: the one asked for, or the default. */
export interface TableChoice {
  readonly defaultTable: string
  readonly validTables: readonly string[]
}

/**
 * @param asked the value of `--table`; undefined for the default table.
 * @throws ConfigError for a table that app_valid_tables does not list.
 */
export function chooseTable({ defaultTable, validTables }: TableChoice, asked: string | undefined): string {
  const table = asked ?? defaultTable
  if (validTables.includes(table)) return table
  const message = `${JSON.stringify(table)} is not one of ${validTables.join(', ')}`
  throw new ConfigError([
    { variable: '--table', message, hint: 'app_valid_tables lists the tables that may be archived' },
  ])
}
