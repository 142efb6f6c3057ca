import { invalid, unsupported } from './api-error.js'
import type { FieldType, TableField } from './contract.js'
import { at, isRecord, listAt, textAt } from './json.js'

/** A column as a load job sees it in an Avro file. */
export interface AvroField extends TableField {
  readonly mode: 'NULLABLE' | 'REQUIRED'
  /** What a TIMESTAMP counts in the file; undefined for other types. */
  readonly unit: 'micros' | 'millis' | undefined
}

const plainTypes: Readonly<Record<string, FieldType>> = {
  boolean: 'BOOLEAN',
  int: 'INTEGER',
  long: 'INTEGER',
  float: 'FLOAT',
  double: 'FLOAT',
  bytes: 'BYTES',
  string: 'STRING',
  enum: 'STRING',
}

/**
 * BigQuery's conversion of an Avro schema: what is not a union with null is REQUIRED, and a logical type counts only
 * with `useAvroLogicalTypes`. See "Avro conversions" of "Loading Avro data from Cloud Storage".
 */
export function fieldsOfAvro(schema: unknown, useLogicalTypes: boolean): AvroField[] {
  if (textAt(schema, 'type') !== 'record') throw invalid('The Avro schema is not a record')
  return listAt(schema, 'fields').map((field) => {
    const name = textAt(field, 'name') ?? ''
    const type = at(field, 'type')
    const nullable = Array.isArray(type)
    return { name, mode: nullable ? 'NULLABLE' : 'REQUIRED', ...typeOf(name, oneOf(type), useLogicalTypes) }
  })
}

function oneOf(type: unknown): unknown {
  if (!Array.isArray(type)) return type
  const others = type.filter((one) => one !== 'null')
  if (others.length !== 1 || type.length !== 2) throw unsupported(`the Avro union ${JSON.stringify(type)}`)
  return others[0]
}

function typeOf(name: string, type: unknown, useLogicalTypes: boolean): Pick<AvroField, 'type' | 'unit'> {
  const plain = isRecord(type) ? textAt(type, 'type') : type
  const logical = useLogicalTypes ? textAt(type, 'logicalType') : undefined
  if (logical === 'timestamp-micros') return { type: 'TIMESTAMP', unit: 'micros' }
  if (logical === 'timestamp-millis') return { type: 'TIMESTAMP', unit: 'millis' }
  const found = typeof plain === 'string' ? plainTypes[plain] : undefined
  if (found === undefined || logical !== undefined) throw unsupported(`the Avro type of ${name}`)
  return { type: found, unit: undefined }
}

/**
 * Why an append is refused, as BigQuery says it; undefined where the file fits. A nullable column that the file lacks is
 * filled with NULL, and a REQUIRED field of the file may go into a NULLABLE column.
 */
export function misfit(file: readonly TableField[], table: readonly TableField[]): string | undefined {
  const columns = new Map(table.map((field) => [field.name.toLowerCase(), field]))
  for (const field of file) {
    const column = columns.get(field.name.toLowerCase())
    if (!column) return `Cannot add fields (field: ${field.name})`
    if (column.type !== field.type) {
      return `Field ${field.name} has changed type from ${column.type} to ${field.type}`
    }
    if (column.mode === 'REPEATED' || (column.mode === 'REQUIRED' && field.mode !== 'REQUIRED')) {
      return `Field ${field.name} has changed mode from ${column.mode} to ${field.mode ?? 'NULLABLE'}`
    }
  }
  const inFile = new Set(file.map((field) => field.name.toLowerCase()))
  const missing = table.find(
    ({ name, mode, defaultValueExpression }) =>
      mode === 'REQUIRED' && defaultValueExpression === undefined && !inFile.has(name.toLowerCase()),
  )
  return missing && `Field ${missing.name} is missing in new schema`
}

/** What a load job may change about its table: `schemaUpdateOptions`. */
export interface SchemaChanges {
  readonly addition: boolean
  readonly relaxation: boolean
}

/**
 * The columns of a table as a load of this file may make them: with columns that only the file has, and NULL allowed where
 * the file has it. What is not allowed stays as it is, and so does not fit.
 */
export function evolved(
  file: readonly AvroField[],
  table: readonly TableField[],
  { addition, relaxation }: SchemaChanges,
): TableField[] {
  const inFile = new Map(file.map((field) => [field.name.toLowerCase(), field]))
  const inTable = new Set(table.map(({ name }) => name.toLowerCase()))
  const relaxed = table.map((column) => {
    const field = inFile.get(column.name.toLowerCase())
    const relax = relaxation && column.mode === 'REQUIRED' && field?.mode === 'NULLABLE'
    return relax ? { ...column, mode: 'NULLABLE' as const } : column
  })
  const added = addition ? file.filter(({ name, mode }) => mode === 'NULLABLE' && !inTable.has(name.toLowerCase())) : []
  return [...relaxed, ...added.map(({ name, type, mode }) => ({ name, type, mode }))]
}
