/** A column of the archive's table: its name and the type it is created with. */
export interface Column {
  readonly name: string
  readonly type: string
}

/** The table of every archive, in the order in which rows are sent. */
export const columns: readonly Column[] = [
  { name: 'dt', type: 'Date' },
  { name: 'id', type: 'UInt64' },
  { name: 'monitor_id', type: 'UInt32' },
  { name: 'server_id', type: 'UInt32' },
  { name: 'ts', type: 'DateTime' },
  { name: 'score', type: 'Float32' },
  { name: 'step', type: 'Float32' },
  { name: 'offset', type: 'Nullable(Float64)' },
  { name: 'rtt', type: 'Nullable(UInt32)' },
  { name: 'leap', type: 'Nullable(UInt8)' },
  { name: 'warning', type: 'Nullable(String)' },
  { name: 'error', type: 'Nullable(String)' },
]

/** A name as ClickHouse's SQL takes it, whatever characters it has. */
export function quoted(name: string): string {
  return `\`${name.replace(/[\\`]/g, '\\$&')}\``
}

/** A string as a literal of ClickHouse's SQL. */
export function literal(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}

export const columnList = columns.map(({ name }) => quoted(name)).join(', ')
