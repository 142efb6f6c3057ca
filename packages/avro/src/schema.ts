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
  return schemaDifference(schema) === undefined ? layouts.get(layoutOf(schema)) : undefined
}

/**
 * What in `schema` differs from the records that this package reads, naming each field; undefined where nothing does. What
 * decides how bytes are read counts, and what they mean: names, order, types and logical types of the fields. There is no
 * schema resolution: a file whose fields have another order or other types is refused. Defaults, documentation, aliases,
 * the record's own name and logical types that the Avro specification does not know may differ.
 */
export function schemaDifference(schema: unknown): string | undefined {
  if (!isRecord(schema)) return 'it is not a record'
  const wrong = schema.fields.flatMap(logicalDifference)
  if (layouts.has(layoutOf(schema))) return wrong.length === 0 ? undefined : wrong.join('; ')
  const found = schema.fields.map(fieldOf)
  const differences = [logScoreSchema, exactLogScoreSchema].map((known) => fieldDifferences(known.fields, found))
  const [first = [], second = []] = differences
  const all = [...(second.length < first.length ? second : first), ...wrong]
  return all.length > MAX_NAMED ? `${all.slice(0, MAX_NAMED).join('; ')}; and more` : all.join('; ')
}

/** Differences that a sentence names. */
const MAX_NAMED = 12

interface FieldLayout {
  readonly name: string
  readonly type: string
}

function fieldOf(field: unknown): FieldLayout {
  return isObject(field) ? { name: String(field.name), type: typeLayout(field.type) } : { name: '?', type: '?' }
}

function fieldDifferences(expected: readonly LogScoreField[], found: readonly FieldLayout[]): string[] {
  const byName = new Map(found.map((field) => [field.name, field]))
  const names = new Set(expected.map(({ name }) => name))
  const differences = expected.flatMap(({ name, type }): string[] => {
    const field = byName.get(name)
    if (field === undefined) return [`the field ${name} is missing`]
    const needed = typeLayout(type)
    return field.type === needed ? [] : [`the field ${name} is ${field.type}, ${needed} is expected`]
  })
  const unknown = found.filter(({ name }) => !names.has(name)).map(({ name }) => `the field ${name} is not expected`)
  if (differences.length + unknown.length > 0) return [...differences, ...unknown]
  const moved = found.findIndex(({ name }, i) => name !== expected[i]?.name)
  return [`the field ${found[moved]?.name} is where ${expected[moved]?.name} is expected`]
}

/** Logical types of the Avro specification that say what a number means. */
const meaningful = /^(decimal|duration|date|(local-)?(time|timestamp)-(millis|micros|nanos))$/

/** A number that counts something else would be read as if it were ours. */
function logicalDifference(field: unknown): string[] {
  if (!isObject(field)) return []
  const found = logicalTypesOf(field.type).filter((name) => meaningful.test(name))
  const wrong = found.find((name) => field.name !== 'ts' || name !== 'timestamp-micros')
  if (wrong === undefined) return []
  const needed = field.name === 'ts' ? 'timestamp-micros' : 'no logical type'
  return [`the field ${String(field.name)} has the logical type ${wrong}, ${needed} is expected`]
}

function logicalTypesOf(type: unknown): string[] {
  if (Array.isArray(type)) return type.flatMap(logicalTypesOf)
  if (!isObject(type)) return []
  return [...(typeof type.logicalType === 'string' ? [type.logicalType] : []), ...logicalTypesOf(type.type)]
}

function layoutOf(schema: unknown): string | undefined {
  if (!isRecord(schema)) return undefined
  return schema.fields
    .map(fieldOf)
    .map(({ name, type }) => `${name} ${type}`)
    .join(', ')
}

function isRecord(schema: unknown): schema is { readonly fields: readonly unknown[] } {
  return isObject(schema) && schema.type === 'record' && Array.isArray(schema.fields)
}

function typeLayout(type: unknown): string {
  if (typeof type === 'string') return type
  if (Array.isArray(type)) return `[${type.map(typeLayout).join(',')}]`
  return isObject(type) ? typeLayout(type.type) : '?'
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
