import type { SchemaVersion } from '@archiver/avro'
import type { RowFilter, ScanQuery, TimeSpan } from '@archiver/core'
import type { TableId } from './job-id.js'
import type { TableForm } from './table.js'
import { type Column, columnsOf, description, type TsType } from './table.js'

/** A statement and its parameters, all INT64. */
export interface Statement {
  readonly sql: string
  readonly params: Readonly<Record<string, bigint>>
}

/** Which rows of which table. */
export interface Selection extends TableForm {
  readonly table: TableId
  /** Ids, and what else must hold. */
  readonly range: ScanQuery
  /** When the rows were measured, as far as it is known: only these partitions are read. Empty or undefined for all. */
  readonly times?: readonly TimeSpan[] | undefined
}

/** The largest INT64, and so the largest id that a table can hold. */
export const maxId = 2n ** 63n - 1n

/** Rows, sum of ids, and the exclusive or of RangeDigest, as texts; no step exceeds 64 bits, whatever the id. */
export function digestStatement(selection: Selection): Statement {
  const seconds = secondsOf(selection)
  const hash = `MOD(MOD(id, 2147483647) + server_id * 1000003 + ${seconds} * 8191, 2147483647) * 2654435761`
  const sums = `CAST(SUM(CAST(id AS BIGNUMERIC)) AS STRING) AS id_sum, CAST(BIT_XOR(${hash}) AS STRING) AS hash_xor`
  return select(`CAST(COUNT(*) AS STRING) AS row_count, ${sums}`, selection)
}

/**
 * The range cut into parts of `ids` ids, numbered from 0: number, first and last time, and rows of each, a row for each day
 * on which the part has rows.
 */
export function partsStatement(selection: Selection, ids: bigint): Statement {
  const seconds = secondsOf(selection)
  const times = `DIV(${seconds}, 86400) AS day, MIN(${seconds}) AS first_ts, MAX(${seconds}) AS last_ts`
  const list = `DIV(id - @after_id - 1, ${ids}) AS part, ${times}, COUNT(*) AS row_count`
  return select(list, selection, 'GROUP BY part, day ORDER BY part, day')
}

/** The rows with all their columns, ordered by id; the columns of version 2 at the end, where the table has them. */
export function readStatement(selection: Selection): Statement {
  const added = selection.exact ? ', warning, attributes, schema_version' : ''
  const columns = `score, step, \`offset\`, rtt, leap, error${added}`
  const { limit } = selection.range
  return select(
    `id, server_id, monitor_id, ${secondsOf(selection)} AS ts_seconds, ${columns}`,
    selection,
    `ORDER BY id${limit === undefined ? '' : ` LIMIT ${limit}`}`,
  )
}

const sqlTypes: Readonly<Record<Column['type'], string>> = {
  INTEGER: 'INT64',
  FLOAT: 'FLOAT64',
  STRING: 'STRING',
  TIMESTAMP: 'TIMESTAMP',
}

/** The table as it is created, for people: what is sent is tables.insert. */
export function createTableSql({ projectId, dataset, table }: TableId, schema: SchemaVersion = 1): string {
  const list = columnsOf(schema).map(({ name, type, mode, description: text }) => {
    const notNull = mode === 'REQUIRED' ? ' NOT NULL' : ''
    return `  ${name} ${sqlTypes[type]}${notNull} ${described(text)}`
  })
  return [
    `CREATE TABLE \`${projectId}.${dataset}.${table}\` (\n${list.join(',\n')}\n)`,
    'PARTITION BY TIMESTAMP_TRUNC(ts, DAY)',
    'CLUSTER BY server_id',
    described(description),
  ].join('\n')
}

function described(text: string): string {
  return `OPTIONS (description = ${JSON.stringify(text)})`
}

function select(list: string, { table, tsType, range, times = [] }: Selection, rest = ''): Statement {
  const { projectId, dataset, table: name } = table
  const lines = [
    `SELECT ${list}`,
    `FROM \`${projectId}.${dataset}.${name}\``,
    'WHERE id > @after_id AND id <= @up_to_id',
  ]
  const params: Record<string, bigint> = { after_id: range.afterId, up_to_id: range.upToId }
  const within = times.length === 0 ? [everSince] : times
  lines.push(`AND (${within.map((_, i) => spanCondition(i, tsType)).join(' OR ')})`)
  for (const [i, { fromSeconds, toSeconds }] of within.entries()) {
    params[`from_ts_${i}`] = BigInt(fromSeconds)
    params[`before_ts_${i}`] = BigInt(toSeconds + 1)
  }
  for (const [name, value, condition] of filters(range, tsType)) {
    lines.push(`AND ${condition}`)
    params[name] = BigInt(value)
  }
  return { sql: [...lines, rest].join('\n').trim(), params }
}

/**
 * Times of all rows: the year 1 to the year 9999, all that a TIMESTAMP holds. A table with `require_partition_filter` takes
 * no query without a condition on `ts`.
 */
const everSince: TimeSpan = { fromSeconds: -62_135_596_800, toSeconds: 253_402_300_798 }

function spanCondition(i: number, tsType: TsType): string {
  return `ts >= ${timeOf(`from_ts_${i}`, tsType)} AND ts < ${timeOf(`before_ts_${i}`, tsType)}`
}

function timeOf(parameter: string, tsType: TsType): string {
  return tsType === 'TIMESTAMP' ? `TIMESTAMP_SECONDS(@${parameter})` : `@${parameter} * 1000000`
}

type Filter = readonly [parameter: string, value: number, condition: string]

function filters({ serverId, monitorId, fromSeconds, toSeconds }: RowFilter, tsType: TsType): readonly Filter[] {
  const all: readonly (readonly [string, number | undefined, string])[] = [
    ['server', serverId, 'server_id = @server'],
    ['monitor', monitorId, 'IFNULL(monitor_id, 0) = @monitor'],
    ['first_ts', fromSeconds, `ts >= ${timeOf('first_ts', tsType)}`],
    ['last_ts', toSeconds, `ts <= ${timeOf('last_ts', tsType)}`],
  ]
  return all.flatMap(([name, value, condition]) => (value === undefined ? [] : [[name, value, condition] as const]))
}

function secondsOf({ tsType }: Selection): string {
  return tsType === 'TIMESTAMP' ? 'UNIX_SECONDS(ts)' : 'DIV(ts, 1000000)'
}
