import { attributesJson, type LogScore, RowError } from '@archiver/core'

/** The largest Avro int. */
export const maxInt = 2 ** 31 - 1
const maxLong = 2n ** 63n - 1n

/**
 * The row as an Avro file of version 1 holds it and `readLogScores` gives it back: the documented conversions. Floats are rounded to
 * 32 bits, a null monitor is 0, half surrogates are U+FFFD, there is no warning and no text of `attributes`.
 *
 * @throws RowError where the writer refuses the row.
 */
export function archivedRow({ json: _, ...row }: LogScore): LogScore {
  const { id } = row
  if (id > maxLong) refuseId(id)
  return {
    ...row,
    serverId: int(id, 'server_id', row.serverId),
    monitorId: int(id, 'monitor_id', row.monitorId ?? 0),
    score: float(id, 'score', row.score),
    step: float(id, 'step', row.step),
    offset: row.offset === null ? null : float(id, 'offset', row.offset),
    error: row.error?.toWellFormed() ?? null,
    warning: null,
  }
}

/**
 * The same for version 2: the row as it is, with the text of `attributes` that its meaning makes where it brought none.
 *
 * @throws RowError where the writer refuses the row.
 */
export function exactRow(row: LogScore): LogScore {
  const { id, offset, score, step, error, warning, json = attributesJson(row) } = row
  if (id > maxLong) refuseId(id)
  for (const [column, value] of Object.entries({ score, step, offset: offset ?? 0 })) {
    if (!Number.isFinite(value)) refuseDouble(id, column, value)
  }
  const [wellError, wellWarning] = [error?.toWellFormed() ?? null, warning?.toWellFormed() ?? null]
  return { ...row, error: wellError, warning: wellWarning, json: json?.toWellFormed() ?? null }
}

function int(id: bigint, column: string, value: number): number {
  return value <= maxInt ? value : refuseInt(id, column, value)
}

function float(id: bigint, column: string, value: number): number {
  const rounded = Math.fround(value)
  return Number.isFinite(rounded) ? rounded : refuseFloat(id, column, value)
}

export function refuseId(id: bigint): never {
  throw new RowError(id, 'id', 'is beyond 2^63-1, the largest Avro long')
}

export function refuseInt(id: bigint, column: string, value: number): never {
  throw new RowError(id, column, `${value} is beyond 2^31-1, the largest Avro int`)
}

export function refuseFloat(id: bigint, column: string, value: number): never {
  throw new RowError(id, column, `${value} is not a finite number as a 32-bit float`)
}

export function refuseDouble(id: bigint, column: string, value: number): never {
  throw new RowError(id, column, `${value} is not a finite number`)
}
