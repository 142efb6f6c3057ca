import type { TableField } from '../contract.js'
import { columnName } from '../table-data.js'
import type { Expression, SqlType } from './expression.js'
import { Parameters } from './parameters.js'
import { Parser } from './parser.js'
import { invalidQuery } from './query-error.js'

/** A query, translated: put ClickHouse's name for the table between the two halves. */
export interface Select {
  readonly dataset: string
  readonly table: string
  /** Of the result. */
  readonly fields: readonly TableField[]
  /** Every value as text, in the order of `fields`. */
  sql(source: string): string
}

/** Where a query finds its table. */
export interface Scope {
  readonly projectId: string
  readonly defaultDataset: string | undefined
  fieldsOf(dataset: string, table: string): readonly TableField[]
  /** The column on which a query of the table must have a condition; undefined where it need not. */
  requiredFilter(dataset: string, table: string): string | undefined
}

/** @throws ApiError `invalidQuery`, or what `scope` throws for a table that is not there. */
export function translate(sql: string, queryParameters: readonly unknown[], scope: Scope): Select {
  const parameters = new Parameters(queryParameters)
  const parser = new Parser(sql, parameters)
  parser.expect('SELECT')
  const listStart = parser.position
  const { dataset, table } = tableOf(parser, scope)
  const fields = scope.fieldsOf(dataset, table)
  parser.columns = new Map(
    fields.map(({ name, type }) => {
      const column = name.toLowerCase()
      return [column, { sql: `t.${columnName({ name })}`, type: sqlType(type), column }]
    }),
  )
  parser.rewind(listStart)
  const items = parser.list(() => selectItem(parser))
  parser.expect('FROM')
  parser.take()
  const { sql: rest, prunes } = clauses(parser, items)
  requireFilter(scope.requiredFilter(dataset, table), prunes, `${dataset}.${table}`)
  const list = items.map(({ expression }, n) => `${asText(expression)} AS c${n}`).join(', ')
  return {
    dataset,
    table,
    fields: items.map(({ name, expression }, n) => ({ name: name ?? `f${n}_`, type: fieldType(expression.type) })),
    sql: (source) => `SELECT ${list} FROM ${source} AS t ${rest}`,
  }
}

function asText({ sql, type }: Expression): string {
  return type === 'BOOL' ? `toString(CAST(${sql}, 'Nullable(Bool)'))` : `toString(${sql})`
}

/** Goes ahead to the FROM of the statement. */
function tableOf(parser: Parser, scope: Scope): { dataset: string; table: string } {
  for (let depth = 0; depth > 0 || !parser.accept('FROM'); parser.take()) {
    const { kind, text } = parser.token
    if (kind === 'end') throw invalidQuery('The fake knows no query without FROM', parser.token.at)
    if (kind === 'symbol') depth += text === '(' ? 1 : text === ')' ? -1 : 0
  }
  const { kind, text, at } = parser.token
  const parts = text.split('.')
  if (kind !== 'quoted' || parts.length > 3) {
    throw invalidQuery('The fake wants the table in backticks, `project.dataset.table`', at)
  }
  const table = parts.pop()!
  const dataset = parts.pop() ?? scope.defaultDataset
  if (dataset === undefined) {
    throw invalidQuery(`Table "${text}" must be qualified with a dataset (e.g. dataset.table).`)
  }
  const [project = scope.projectId] = parts
  if (project !== scope.projectId) throw invalidQuery(`The fake has no project ${project}`, at)
  return { dataset, table }
}

interface Item {
  readonly name: string | undefined
  readonly expression: Expression
}

function selectItem(parser: Parser): Item {
  const { kind, text } = parser.token
  const expression = parser.expression()
  const column = kind === 'name' || kind === 'quoted' ? text : undefined
  const bare = column !== undefined && parser.columns.get(column.toLowerCase()) === expression
  const name = parser.accept('AS') ? parser.alias() : bare ? column : undefined
  return { name, expression }
}

/** BigQuery's own words, of a table with `requirePartitionFilter`. */
function requireFilter(column: string | undefined, prunes: readonly string[], table: string): void {
  if (column === undefined || prunes.includes(column.toLowerCase())) return
  throw invalidQuery(
    `Cannot query over table '${table}' without a filter over column(s) '${column}' that can be used for partition elimination`,
  )
}

interface Clauses {
  readonly sql: string
  /** Columns by which partitions are ruled out. */
  readonly prunes: readonly string[]
}

function clauses(parser: Parser, items: readonly Item[]): Clauses {
  const parts: string[] = []
  const where = parser.accept('WHERE') ? condition(parser) : undefined
  if (where !== undefined) parts.push(`WHERE ${where.sql}`)
  addAliases(parser, items)
  if (parser.accept('GROUP')) {
    parser.expect('BY')
    parts.push(`GROUP BY ${parser.list(() => parser.expression().sql).join(', ')}`)
  }
  if (parser.accept('ORDER')) {
    parser.expect('BY')
    parts.push(`ORDER BY ${parser.list(() => ordering(parser)).join(', ')}`)
  }
  if (parser.accept('LIMIT')) parts.push(`LIMIT ${parser.expression().sql}`)
  parser.accept(';')
  if (parser.token.kind !== 'end') throw parser.unexpected()
  return { sql: parts.join(' '), prunes: where?.prunes ?? [] }
}

function condition(parser: Parser): Expression {
  const { at } = parser.token
  const expression = parser.expression()
  const { type } = expression
  if (type !== 'BOOL') throw invalidQuery(`WHERE clause should return type BOOL, but returns ${type}`, at)
  return expression
}

/** GROUP BY and ORDER BY see the names of the select list; WHERE does not. */
function addAliases(parser: Parser, items: readonly Item[]): void {
  const named = items.flatMap(({ name, expression }) =>
    name === undefined ? [] : [[name.toLowerCase(), expression] as const],
  )
  parser.columns = new Map([...parser.columns, ...named])
}

/** BigQuery puts NULL first, ClickHouse last. */
function ordering(parser: Parser): string {
  const { sql } = parser.expression()
  if (parser.accept('DESC')) return `${sql} DESC NULLS LAST`
  parser.accept('ASC')
  return `${sql} ASC NULLS FIRST`
}

const sqlTypes: Partial<Readonly<Record<TableField['type'], SqlType>>> = {
  INTEGER: 'INT64',
  FLOAT: 'FLOAT64',
  BOOLEAN: 'BOOL',
  TIMESTAMP: 'TIMESTAMP',
}

function sqlType(type: TableField['type']): SqlType {
  return sqlTypes[type] ?? 'STRING'
}

const fieldTypes: Partial<Readonly<Record<SqlType, TableField['type']>>> = {
  INT64: 'INTEGER',
  FLOAT64: 'FLOAT',
  BOOL: 'BOOLEAN',
  TIMESTAMP: 'TIMESTAMP',
  NUMERIC: 'NUMERIC',
  BIGNUMERIC: 'BIGNUMERIC',
  NULL: 'INTEGER',
}

function fieldType(type: SqlType): TableField['type'] {
  return fieldTypes[type] ?? 'STRING'
}
