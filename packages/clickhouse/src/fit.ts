import { RowError } from '@archiver/core'
import { unfitAttribute } from './attributes.js'
import type { Rows } from './rows.js'

/** The error for the first row that fits no documented conversion. The encoder looks for it once it knows of one. */
export function firstUnfit(rows: Rows): RowError {
  for (let i = rows.from; i < rows.to; i++) {
    const found = unfitColumn(rows, i)
    if (found) return new RowError(rows.chunk.id[i]!, ...found, { archiver: 'clickhouse' })
  }
  throw new Error('the encoder refused rows that all fit')
}

function unfitColumn({ chunk }: Rows, i: number): [column: string, why: string] | undefined {
  for (const column of ['score', 'step'] as const) {
    const value = chunk[column][i]!
    if (!Number.isFinite(Math.fround(value))) return [column, `${value} does not fit a Float32`]
  }
  if (!Number.isFinite(chunk.offset[i]!)) return ['offset', `${chunk.offset[i]} is not a finite number`]
  return unfitAttribute(chunk.dictionary[chunk.attributes[i]!]!)
}
