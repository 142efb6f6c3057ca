import type { SchemaVersion } from '@archiver/avro'

/** A column of the archive's table, as tables.insert takes it. */
export interface Column {
  readonly name: string
  readonly type: 'INTEGER' | 'FLOAT' | 'STRING' | 'TIMESTAMP'
  readonly mode: 'REQUIRED' | 'NULLABLE'
  readonly description: string
}

/** The table as it is created: the record `logscore`, described. */
export const columns: readonly Column[] = [
  required('id', 'INTEGER', 'Id of the row in MySQL, unique in the table'),
  required('server_id', 'INTEGER', 'The server measured'),
  required('monitor_id', 'INTEGER', 'The monitor; 0 where it is not known'),
  required('ts', 'TIMESTAMP', 'Time of the measurement, whole seconds'),
  required('score', 'FLOAT', "The server's score after this measurement, at most 20"),
  required('step', 'FLOAT', 'What this measurement added to the score'),
  nullable('offset', 'FLOAT', "How far the server's clock was off, in seconds; NULL without an answer"),
  nullable('rtt', 'INTEGER', 'Round-trip time in microseconds; NULL without an answer'),
  nullable('leap', 'INTEGER', 'Leap indicator, 1 to 3; NULL for 0'),
  nullable('error', 'STRING', 'Why the measurement failed; NULL where it did not'),
]

/** What version 2 of the record adds. Rows that were loaded with version 1 have NULL there. */
const addedColumns: readonly Column[] = [
  nullable('warning', 'STRING', 'What was odd about a measurement; NULL where nothing was'),
  nullable('attributes', 'STRING', 'The column attributes as MySQL has it'),
  nullable('schema_version', 'INTEGER', '2 where the row is exactly as MySQL has it; NULL where floats are rounded'),
]

/** The columns of a table that is made for this version of the record. */
export function columnsOf(schema: SchemaVersion): readonly Column[] {
  if (schema === 1) return columns
  const changed = columns.map((column) => (column.name === 'monitor_id' ? exactMonitorId : column))
  return [...changed, ...addedColumns]
}

const exactMonitorId = nullable('monitor_id', 'INTEGER', 'The monitor; NULL (or 0) where it is not known')

export const description = 'NTP Pool measurements, archived from MySQL. One row a measurement; id is unique.'

function required(name: string, type: Column['type'], description: string): Column {
  return { name, type, mode: 'REQUIRED', description }
}

function nullable(name: string, type: Column['type'], description: string): Column {
  return { name, type, mode: 'NULLABLE', description }
}

/** How a table keeps `ts`: the Go program's tables, made without logical types, have microseconds as a number. */
export type TsType = 'TIMESTAMP' | 'INTEGER'

/** A field of an existing table, as tables.get tells it. */
export interface Field {
  readonly name?: string
  readonly type?: string
  readonly mode?: string
  readonly defaultValueExpression?: string
}

/** tables.get may use either of two names for a type. */
const otherNames: Readonly<Record<string, string>> = { INT64: 'INTEGER', FLOAT64: 'FLOAT' }

/**
 * What keeps rows out of a table with these fields, a sentence for each column; empty where nothing does. What version 2
 * adds may be missing: its first load adds it.
 */
export function misfits(fields: readonly Field[], schema: SchemaVersion): string[] {
  const found = new Map(fields.map((field) => [field.name?.toLowerCase(), field]))
  const added = schema === 1 ? [] : addedColumns.filter(({ name }) => found.has(name))
  const wrong = [...columns, ...added].flatMap((column) => misfit(column, found.get(column.name)))
  const known = new Set(columnsOf(2).map(({ name }) => name))
  const demanding = fields.filter(
    ({ name, mode, defaultValueExpression }) =>
      !known.has(name?.toLowerCase() ?? '') && mode === 'REQUIRED' && defaultValueExpression === undefined,
  )
  return [
    ...wrong,
    ...demanding.map(({ name }) => `the column ${name} is REQUIRED, and the archiver has no value for it`),
  ]
}

/** Whether the table has all that version 2 adds. */
export function keepsExactRows(fields: readonly Field[]): boolean {
  const names = new Set(fields.map(({ name }) => name?.toLowerCase()))
  return addedColumns.every(({ name }) => names.has(name))
}

export function tsTypeOf(fields: readonly Field[]): TsType {
  return fields.some(({ name, type }) => name?.toLowerCase() === 'ts' && type === 'TIMESTAMP') ? 'TIMESTAMP' : 'INTEGER'
}

function misfit({ name, type, mode }: Column, field: Field | undefined): string[] {
  const wanted = name === 'ts' ? ['TIMESTAMP', 'INTEGER'] : [type]
  if (field === undefined) return [`the column ${name} is missing, ${wanted.join(' or ')} is needed`]
  const found = otherNames[field.type ?? ''] ?? field.type ?? 'without a type'
  if (!wanted.includes(found)) return [`the column ${name} is ${found}, ${wanted.join(' or ')} is needed`]
  if (field.mode === 'REPEATED') return [`the column ${name} is REPEATED, a single value is needed`]
  if (field.mode === 'REQUIRED' && mode === 'NULLABLE') return [`the column ${name} is REQUIRED, NULL must be allowed`]
  return []
}

/** How a table keeps its rows. */
export interface TableForm {
  readonly tsType: TsType
  /** Whether it has the columns of version 2 of the record. */
  readonly exact: boolean
}
