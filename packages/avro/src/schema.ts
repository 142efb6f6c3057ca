/** One field of the record, in file order. */
export interface LogScoreField {
  readonly name: string
  readonly type: string | readonly string[] | { readonly type: string; readonly logicalType: string }
  readonly default?: null
}

/** 1: the form in which the history has always been kept · 2: loses nothing. */
export type SchemaVersion = 1 | 2

/** The Avro schema of an archive file, version 1: the record `logscore`. */
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

/**
 * Version 2 of the record: every value as MySQL has it. Bytes of the first fields are those of version 1 where the values
 * fit there, but for the floats. The new fields have a default, so that a reader of this schema takes files of both.
 */
export const exactLogScoreSchema = {
  type: 'record',
  name: 'logscore',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'server_id', type: 'long' },
    { name: 'monitor_id', type: ['null', 'long'] },
    { name: 'ts', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'score', type: 'double' },
    { name: 'step', type: 'double' },
    { name: 'offset', type: ['null', 'double'] },
    { name: 'rtt', type: ['null', 'int'] },
    { name: 'leap', type: ['null', 'int'] },
    { name: 'error', type: ['null', 'string'] },
    { name: 'warning', type: ['null', 'string'], default: null },
    { name: 'attributes', type: ['null', 'string'], default: null },
    { name: 'schema_version', type: ['null', 'int'], default: null },
  ] satisfies readonly LogScoreField[],
} as const

const layouts: ReadonlyMap<string | undefined, SchemaVersion> = new Map([
  [layoutOf(logScoreSchema), 1],
  [layoutOf(exactLogScoreSchema), 2],
])

/** Which version of the record a file with this schema holds; undefined for another record. */
export function versionOf(schema: unknown): SchemaVersion | undefined {
  return layouts.get(layoutOf(schema))
}

/**
 * What in `schema` differs from the records that this package reads, as a sentence; undefined where nothing does.
 * Only what decides how bytes are read counts: names, order and types of the fields. Logical types, defaults,
 * documentation and the record's own name may differ.
 */
export function schemaDifference(schema: unknown): string | undefined {
  const layout = layoutOf(schema)
  if (layout === undefined) return 'it is not a record'
  if (layouts.has(layout)) return undefined
  return `expected the fields ${[...layouts.keys()].join(', or ')}, found ${layout}`
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
