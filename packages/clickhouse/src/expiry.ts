import type { Link } from './link.js'
import { optionalRows } from './optional-rows.js'
import { columns, literal } from './table.js'

/** Engines that keep every row as it is; others replace, sum or drop rows of the same key. */
export const keepingEngines = /^((Replicated|Shared)?MergeTree|Distributed)$/

const ownColumns = new Set(columns.map(({ name }) => name))

/** What the statement that made a table says of rows or values that it drops with time; empty where nothing does. */
export function expiriesOf(statement: string): string[] {
  const sql = withoutTexts(statement)
  const [start, end] = columnsOf(sql)
  const inColumns = topLevelParts(sql.slice(start, end)).flatMap((definition) => {
    const [, name = ''] = /^\s*`?(\w+)`?\s/.exec(definition) ?? []
    return ownColumns.has(name) && /\bTTL\b/.test(definition) ? [`the column ${name} has a TTL`] : []
  })
  const [, ttl] = /\bTTL\b(.*?)(?:\bSETTINGS\b|\bCOMMENT\b|$)/s.exec(sql.slice(end)) ?? []
  // Moving or packing rows keeps them.
  const drops =
    ttl !== undefined && topLevelParts(ttl).some((part) => !/\b(TO\s+(DISK|VOLUME)|RECOMPRESS)\b/i.test(part))
  return drops ? [...inColumns, 'the table has a TTL'] : inColumns
}

/** Texts are blanked, so that what is in them is not taken for SQL. */
function withoutTexts(sql: string): string {
  return sql.replace(/'(?:\\.|''|[^'\\])*'/gs, "''")
}

/** Where the list of columns begins and ends. */
function columnsOf(sql: string): readonly [start: number, end: number] {
  const start = sql.indexOf('(') + 1
  let depth = start === 0 ? 0 : 1
  let end = start
  for (; end < sql.length && depth > 0; end++) depth += sql[end] === '(' ? 1 : sql[end] === ')' ? -1 : 0
  return [start, end]
}

function topLevelParts(sql: string): string[] {
  const parts = ['']
  let depth = 0
  for (const letter of sql) {
    depth += letter === '(' ? 1 : letter === ')' ? -1 : 0
    if (letter === ',' && depth === 0) parts.push('')
    else parts[parts.length - 1] += letter
  }
  return parts
}

/** The engine of a table, and what it drops with time. */
export interface Keeping {
  readonly engine: string
  readonly expiries: readonly string[]
}

/** Undefined where there is no such table. */
export async function keepingOf(link: Link, database: string, table: string): Promise<Keeping | undefined> {
  const where = `database = ${literal(database)} AND name = ${literal(table)}`
  const [row] = await link.rows(`SELECT engine, create_table_query AS made FROM system.tables WHERE ${where}`)
  return row && { engine: row.engine!, expiries: expiriesOf(row.made!) }
}

/**
 * What keeps the rows behind a `Distributed` table, on each server of its cluster; the same table of this server where the
 * user may not ask the others. Empty where neither tells.
 */
export async function keepingBehind(link: Link, database: string, table: string): Promise<Keeping[]> {
  const where = `database = ${literal(database)} AND name = ${literal(table)}`
  const [row] = await link.rows(`SELECT create_table_query AS made FROM system.tables WHERE ${where}`)
  const [, cluster, behind, name] =
    /Distributed\(\s*'?([^',]+)'?,\s*'?([^',]*)'?,\s*'?([^',)]+)'?/.exec(row?.made ?? '') ?? []
  if (cluster === undefined || name === undefined) return []
  const place = `database = ${literal(behind || database)} AND name = ${literal(name)}`
  const select = 'SELECT DISTINCT engine, create_table_query AS made FROM'
  const all = await optionalRows(link, `${select} cluster(${literal(cluster)}, system.tables) WHERE ${place}`)
  const rows = all ?? (await link.rows(`${select} system.tables WHERE ${place}`))
  return rows.map(({ engine, made }) => ({ engine: engine!, expiries: expiriesOf(made!) }))
}
