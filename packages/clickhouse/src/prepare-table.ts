import { ArchiverError } from '@archiver/core'
import { keepingBehind, keepingEngines, keepingOf } from './expiry.js'
import type { Facts, Link, Links } from './link.js'
import { columns, literal, quoted } from './table.js'

/** The database of a table, whether it may be created, and whether a table may drop rows with time. */
interface Place extends Pick<Links, 'database' | 'createsDatabase'> {
  readonly acceptExpiry: boolean
}

/**
 * What creates the table where it is missing. One that is there is looked at: does it take the rows as they are?
 *
 * @throws ArchiverError (`CLICKHOUSE_TABLE`) naming what is found and what is needed.
 */
export async function missingStatements(link: Link, place: Place, table: string, facts: Facts): Promise<string[]> {
  const { database, createsDatabase } = place
  if (await checkTable(link, place, table)) return []
  const create = createTable(database, table, facts)
  return createsDatabase ? [`CREATE DATABASE IF NOT EXISTS ${quoted(database)}`, create] : [create]
}

/** Creates the table where it is missing. @throws as {@link missingStatements} */
export async function prepareTable(link: Link, place: Place, table: string, facts: Facts): Promise<void> {
  const statements = await missingStatements(link, place, table, facts)
  for (const statement of statements) await link.run(statement)
  // Another may have been faster, with another table.
  if (statements.length > 0) await checkTable(link, place, table)
}

/** The statement that makes the table, as docs/archives has it. */
export function createTable(database: string, table: string, { tableSettings }: Pick<Facts, 'tableSettings'>): string {
  const list = columns.map(({ name, type }) => `${quoted(name)} ${type}`).join(', ')
  const settings = tableSettings.length === 0 ? '' : ` SETTINGS ${tableSettings.join(', ')}`
  const engine = `ENGINE = MergeTree PARTITION BY dt ORDER BY (server_id, ts)${settings}`
  return `CREATE TABLE IF NOT EXISTS ${quoted(database)}.${quoted(table)} (${list}) ${engine}`
}

/** @returns false where there is no such table. */
async function checkTable(link: Link, { database, acceptExpiry }: Place, table: string): Promise<boolean> {
  const found = await keepingOf(link, database, table)
  if (found === undefined) return false
  const behind = found.engine === 'Distributed' ? await keepingBehind(link, database, table) : []
  for (const { engine } of [found, ...behind]) {
    if (keepingEngines.test(engine)) continue
    const what = engine === found.engine ? 'its engine is' : 'it is Distributed over a table whose engine is'
    throw unfit(database, table, `${what} ${engine}, which may not keep every row; MergeTree is needed`)
  }
  await checkColumns(link, database, table)
  const expiries = new Set([found, ...behind].flatMap((table) => table.expiries))
  if (expiries.size > 0 && !acceptExpiry) throw expires(database, table, [...expiries])
  return true
}

function expires(database: string, table: string, what: readonly string[]): ArchiverError {
  return new ArchiverError(`the ClickHouse table ${database}.${table} drops rows with time: ${what.join('; ')}`, {
    code: 'CLICKHOUSE_TABLE_EXPIRES',
    archiver: 'clickhouse',
    table,
    hint: 'Remove the TTL (ALTER TABLE … REMOVE TTL); or, where it is wanted, set archive_expires=ok.',
  })
}

async function checkColumns(link: Link, database: string, table: string): Promise<void> {
  const where = `database = ${literal(database)} AND table = ${literal(table)}`
  const rows = await link.rows(`SELECT name, type, default_kind FROM system.columns WHERE ${where}`)
  const found = new Map(rows.map((row) => [row.name, row]))
  for (const { name, type } of columns) {
    const column = found.get(name)
    if (!column) throw unfit(database, table, `the column ${name} is missing, ${type} is needed`)
    if (!equalTypes(column.type!, type)) {
      throw unfit(database, table, `the column ${name} is ${column.type}, ${type} is needed`)
    }
    if (column.default_kind === 'MATERIALIZED' || column.default_kind === 'ALIAS') {
      throw unfit(database, table, `the column ${name} is ${column.default_kind}, one that can be inserted is needed`)
    }
  }
}

/** A time zone only changes how times are shown, LowCardinality only how texts are kept. */
function equalTypes(found: string, needed: string): boolean {
  return found.replace(/^DateTime\('.*'\)$/, 'DateTime').replace(/^LowCardinality\((.*)\)$/, '$1') === needed
}

function unfit(database: string, table: string, what: string): ArchiverError {
  return new ArchiverError(`the ClickHouse table ${database}.${table} does not fit: ${what}`, {
    code: 'CLICKHOUSE_TABLE',
    archiver: 'clickhouse',
    table,
    hint: 'Alter or rename the table, or name another database in ch_dsn; docs/archives/clickhouse.md has the schema.',
  })
}
