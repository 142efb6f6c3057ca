import type { LogScoreChunk } from '@archiver/core'
import type { ColumnSource, SchemaElement } from 'hyparquet-writer'

/** The largest id of a signed column. */
export const maxSignedId = 2n ** 63n - 1n

/**
 * The columns as Parquet has them. Numbers with fractions are doubles whatever the archive keeps, so that one file can hold
 * rows of several archives. Spark, Athena and Trino do not read unsigned columns: ids of servers and monitors have 64 bits,
 * where they always fit, and the id of a row is signed unless `unsignedIds`.
 */
export function schemaOf(unsignedIds: boolean): SchemaElement[] {
  const unsigned = unsignedIds ? ({ converted_type: 'UINT_64' } as const) : {}
  return [
    { name: 'log_scores', num_children: 12 },
    { name: 'id', type: 'INT64', repetition_type: 'REQUIRED', ...unsigned },
    { name: 'server_id', type: 'INT64', repetition_type: 'REQUIRED' },
    { name: 'monitor_id', type: 'INT64', repetition_type: 'OPTIONAL' },
    ...otherColumns,
  ]
}

const otherColumns: readonly SchemaElement[] = [
  {
    name: 'ts',
    type: 'INT64',
    converted_type: 'TIMESTAMP_MICROS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
    repetition_type: 'REQUIRED',
  },
  { name: 'score', type: 'DOUBLE', repetition_type: 'REQUIRED' },
  { name: 'step', type: 'DOUBLE', repetition_type: 'REQUIRED' },
  { name: 'offset', type: 'DOUBLE', repetition_type: 'OPTIONAL' },
  { name: 'rtt', type: 'INT32', repetition_type: 'OPTIONAL' },
  { name: 'leap', type: 'INT32', repetition_type: 'OPTIONAL' },
  { name: 'error', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
  { name: 'warning', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
  { name: 'attributes', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
]

/** The rows as the library takes them: arrays with null for no value. */
export function columnsOf(chunk: LogScoreChunk): ColumnSource[] {
  const { rows, attributes, dictionary } = chunk
  const entry = <T>(value: (index: number) => T) => Array.from({ length: rows }, (_, row) => value(attributes[row]!))
  return [
    // Ids hardly recur, nor do other numbers; a dictionary would also take -0 for 0.
    { name: 'id', data: chunk.id, encoding: 'PLAIN' },
    { name: 'server_id', data: Array.from(chunk.serverId, BigInt) },
    { name: 'monitor_id', data: bigIntsWithNulls(chunk.monitorId, chunk.monitorIdNull) },
    { name: 'ts', data: microseconds(chunk.tsSeconds) },
    { name: 'score', data: chunk.score, encoding: 'PLAIN' },
    { name: 'step', data: chunk.step, encoding: 'PLAIN' },
    { name: 'offset', data: withNulls(chunk.offset, chunk.offsetNull), encoding: 'PLAIN' },
    { name: 'rtt', data: withNulls(chunk.rtt, chunk.rttNull) },
    { name: 'leap', data: entry((index) => dictionary[index]!.leap) },
    { name: 'error', data: entry((index) => dictionary[index]!.error) },
    { name: 'warning', data: entry((index) => dictionary[index]!.warning) },
    { name: 'attributes', data: entry((index) => dictionary[index]!.json ?? null) },
  ]
}

function bigIntsWithNulls(values: Uint32Array, isNull: Uint8Array): (bigint | null)[] {
  return Array.from(values, (value, row) => (isNull[row] ? null : BigInt(value)))
}

function withNulls(values: Uint32Array | Int32Array | Float64Array, isNull: Uint8Array): (number | null)[] {
  return Array.from(values, (value, row) => (isNull[row] ? null : value))
}

function microseconds(seconds: Uint32Array): bigint[] {
  let last = -1
  let micros = 0n
  return Array.from(seconds, (value) => {
    if (value !== last) micros = BigInt(value) * 1_000_000n
    last = value
    return micros
  })
}
