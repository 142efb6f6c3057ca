/** One field of the record, in file order. */
export interface LogScoreField {
  readonly name: string
  readonly type: string | readonly string[] | { readonly type: string; readonly logicalType: string }
}

/** The Avro schema of every archive file: the record `logscore`. */
export const logScoreSchema = {
  type: 'record',
  name: 'logscore',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'server_id', type: 'int' },
    { name: 'monitor_id', type: 'int' },
    { name: 'ts', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'score', type: 'float' },
    { name: 'step', type: 'float' },
    { name: 'offset', type: ['null', 'float'] },
    { name: 'rtt', type: ['null', 'int'] },
    { name: 'leap', type: ['null', 'int'] },
    { name: 'error', type: ['null', 'string'] },
  ] satisfies readonly LogScoreField[],
} as const

const expectedLayout = layoutOf(logScoreSchema)

/**
 * What in `schema` differs from the record that this package reads, as a sentence; undefined where nothing does.
 * Only what decides how bytes are read counts: names, order and types of the fields. Logical types, defaults,
 * documentation and the record's own name may differ.
 */
export function schemaDifference(schema: unknown): string | undefined {
  const layout = layoutOf(schema)
  if (layout === undefined) return 'it is not a record'
  return layout === expectedLayout ? undefined : `expected the fields ${expectedLayout}, found ${layout}`
}

function layoutOf(schema: unknown): string | undefined {
  if (!isObject(schema) || schema.type !== 'record' || !Array.isArray(schema.fields)) return undefined
  return schema.fields.map((field: unknown) => (isObject(field) ? fieldLayout(field) : '?')).join(', ')
}

function fieldLayout(field: Readonly<Record<string, unknown>>): string {
  return `${String(field.name)} ${typeLayout(field.type)}`
}

function typeLayout(type: unknown): string {
  if (typeof type === 'string') return type
  if (Array.isArray(type)) return `[${type.map(typeLayout).join(',')}]`
  return isObject(type) ? typeLayout(type.type) : '?'
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
