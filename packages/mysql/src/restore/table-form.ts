import { ArchiverError } from '@archiver/core'
import type { Connection } from 'mysql2'
import { isMissingTable } from '../mysql-errors.js'
import { quoteName } from '../tables.js'
import { writtenColumns } from './row-text.js'
import { askRows } from './statements.js'

/** What the type of a column begins with, so that values come into it as they are. */
const types: Readonly<Record<(typeof writtenColumns)[number], RegExp>> = {
  id: /^bigint/,
  monitor_id: /^(int|bigint)/,
  server_id: /^(int|bigint)/,
  ts: /^(datetime|timestamp)/,
  score: /^double/,
  step: /^double/,
  offset: /^double/,
  rtt: /^(mediumint|int|bigint)/,
  attributes: /^(text|mediumtext|longtext|varchar|json)/,
}

/** What matters of a table that can take the rows. */
export interface TargetForm {
  /** Whether `attributes` is of MySQL's type JSON: the server writes its texts anew, with other spaces and another order. */
  readonly jsonAttributes: boolean
}

/**
 * Checks that a table can take the rows as they are.
 *
 * @throws ArchiverError (RESTORE_TABLE_MISSING, RESTORE_COLUMNS) that names all that is wrong.
 */
export async function requireForm(connection: Connection, table: string, like: string): Promise<TargetForm> {
  const quoted = quoteName(table)
  const columns = await askRows(connection, `show columns from ${quoted}`).catch((error: unknown) => {
    throw isMissingTable(error) ? missing(table, like) : error
  })
  const found = new Map(columns.map(([name, type]) => [String(name).toLowerCase(), String(type).toLowerCase()]))
  const wrong = writtenColumns.flatMap((name) => misfit(name, found.get(name)))
  // Key_name is the third column of SHOW INDEX, Non_unique the second, Column_name the fifth.
  const keys = await askRows(connection, `show index from ${quoted}`)
  const unique = Map.groupBy(
    keys.filter((key) => Number(key[1]) === 0),
    (key) => String(key[2]),
  )
  const byId = [...unique.values()].some((key) => key.length === 1 && String(key[0]?.[4]).toLowerCase() === 'id')
  if (!byId) wrong.push('there is no unique key on id, which rows are known by')
  if (wrong.length === 0) return { jsonAttributes: found.get('attributes') === 'json' }
  throw new ArchiverError(`table ${table} cannot take the rows: ${wrong.join('; ')}`, {
    code: 'RESTORE_COLUMNS',
    table,
    hint: `Nothing was written. A table of the right form: create table … like ${quoteName(like)};`,
  })
}

function misfit(name: (typeof writtenColumns)[number], type: string | undefined): string[] {
  if (type === undefined) return [`it has no column ${name}`]
  return types[name].test(type) ? [] : [`its column ${name} is ${type}, which would change values`]
}

function missing(table: string, like: string): ArchiverError {
  return new ArchiverError(`there is no table ${table}`, {
    code: 'RESTORE_TABLE_MISSING',
    table,
    hint: `Nothing is created here. Run: create table ${quoteName(table)} like ${quoteName(like)};`,
  })
}
