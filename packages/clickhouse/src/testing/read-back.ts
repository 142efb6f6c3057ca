import { type LogScore, RowError } from '@archiver/core'

/** Reads every row of a table; `FORMAT JSONEachRow` is for the caller to append or ask for. */
export function selectRows(table: string): string {
  return `SELECT toUInt16(dt) AS day, toString(id) AS text_id, monitor_id, server_id, toUInt32(ts) AS seconds,
    score, step, offset, rtt, leap, warning, error FROM ${table}`
}

export interface JsonRow {
  readonly day: number
  readonly text_id: string
  readonly monitor_id: number
  readonly server_id: number
  readonly seconds: number
  readonly score: number
  readonly step: number
  readonly offset: number | null
  readonly rtt: number | null
  readonly leap: number | null
  readonly warning: string | null
  readonly error: string | null
}

/** A row as the archive has it, checked for the day it is kept under. */
export function fromJson(row: JsonRow): LogScore {
  if (row.day !== Math.floor(row.seconds / 86_400)) throw new Error(`row ${row.text_id} is kept under day ${row.day}`)
  return {
    id: BigInt(row.text_id),
    monitorId: row.monitor_id,
    serverId: row.server_id,
    tsSeconds: row.seconds,
    score: Math.fround(row.score),
    step: Math.fround(row.step),
    offset: row.offset,
    rtt: row.rtt,
    leap: row.leap,
    error: row.error,
    warning: row.warning,
  }
}

/** The documented conversions, or the refusal. */
export function convert(row: LogScore): LogScore {
  for (const column of ['score', 'step', 'offset'] as const) {
    const value = row[column]
    if (value === null) continue
    const kept = column === 'offset' ? value : Math.fround(value)
    if (!Number.isFinite(kept)) throw new RowError(row.id, column, 'does not fit')
  }
  for (const column of ['warning', 'error'] as const) {
    if (row[column]?.isWellFormed() === false) throw new RowError(row.id, column, 'has no UTF-8')
  }
  // The table has no column for the text of attributes.
  const { json: _, ...kept } = row
  return {
    ...kept,
    monitorId: row.monitorId ?? 0,
    score: Math.fround(row.score),
    step: Math.fround(row.step),
    rtt: row.rtt !== null && row.rtt < 0 ? null : row.rtt,
  }
}
