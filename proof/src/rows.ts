import type { LogScore } from '@archiver/core'
import { generateRows, type SourceRow } from '@archiver/testkit'
import type { Connection, RowDataPacket } from 'mysql2/promise'

/** The monitor whose rows the scorer `recentmedian` writes. */
export const RECENT_MEDIAN = 61

/** Rows as the pool's programs write them, with more of what is rare: negative round trips, odd texts. */
export function* oddRows(options: Parameters<typeof generateRows>[0]): Generator<SourceRow> {
  for (const generated of generateRows(options)) {
    const row = producersRow(generated)
    const turn = row.id % 23n
    if (turn === 3n) yield { ...row, rtt: -17 }
    else if (turn === 7n) yield { ...row, attributes: '{"leap":2,"error":"Ünïcode 🕐 \\t\\u0000","warning":"odd"}' }
    else if (turn === 11n) yield { ...row, attributes: null, offset: 1 / 3 }
    else yield row
  }
}

/**
 * An ordinary answer has no attributes, a failure has an error and the round trip 0. One row in six is the scorer's: its text
 * is unique, it has neither offset nor round trip.
 */
function producersRow(row: SourceRow): SourceRow {
  const { leap, ...others } = JSON.parse(row.attributes ?? '{}') as { leap?: number; error?: string }
  const said = leap ? { leap, ...others } : others
  if (row.id % 6n === 5n) return recentMedian(row, said)
  const attributes = Object.keys(said).length === 0 ? null : JSON.stringify(said)
  return { ...row, attributes, rtt: said.error === undefined ? row.rtt : 0 }
}

function recentMedian(row: SourceRow, said: object): SourceRow {
  const attributes = JSON.stringify({ ...said, from_ls_id: Number(row.id) - 1, from_ss_id: Number(row.id) * 7 })
  return { ...row, monitorId: RECENT_MEDIAN, offset: null, rtt: null, attributes }
}

/** The rows of the source, read and decoded without the archiver's code. */
export async function sourceRows(connection: Connection, table = 'log_scores', where = 'true'): Promise<LogScore[]> {
  const columns = "id, monitor_id, server_id, timestampdiff(second, '1970-01-01', ts) s, score, step, `offset`, rtt"
  const [rows] = await connection.query<RowDataPacket[]>(
    `select ${columns}, attributes from \`${table}\` where ${where} order by id`,
  )
  return rows.map((row) => ({
    id: BigInt(row.id),
    monitorId: row.monitor_id,
    serverId: row.server_id,
    tsSeconds: row.s,
    score: row.score,
    step: row.step,
    offset: row.offset,
    rtt: row.rtt,
    ...attributesOf(row.attributes),
  }))
}

function attributesOf(text: string | null): Pick<LogScore, 'leap' | 'error' | 'warning'> {
  const { leap, error, warning } = JSON.parse(text ?? '{}') as { leap?: number; error?: string; warning?: string }
  return { leap: leap || null, error: error || null, warning: warning || null }
}

/** The documented conversions of the ClickHouse archive (docs/archives/clickhouse.md). */
export function clickHouseRow(row: LogScore): LogScore {
  return {
    ...row,
    monitorId: row.monitorId ?? 0,
    score: Math.fround(row.score),
    step: Math.fround(row.step),
    rtt: row.rtt === null || row.rtt < 0 ? null : row.rtt,
  }
}

/** Answers a query in JSON lines. */
export type AskClickHouse = (sql: string) => Promise<string>

/** All rows of a ClickHouse table; `dt` is compared with `ts` on the way. */
export async function clickHouseRows(ask: AskClickHouse, table = 'log_scores'): Promise<LogScore[]> {
  const columns =
    'toString(id) i, monitor_id, server_id, toUInt32(ts) s, score, step, offset, rtt, leap, warning, error'
  const text = await ask(`select ${columns}, dt = toDate(ts, 'UTC') same from ${table}`)
  return text.split('\n').flatMap((line) => (line === '' ? [] : [clickHouseLine(line)]))
}

function clickHouseLine(line: string): LogScore {
  const row = JSON.parse(line) as Record<string, number | null> & {
    i: string
    error: string | null
    warning: string | null
  }
  if (row.same !== 1) throw new Error(`row ${row.i} is in the partition of another day`)
  return {
    id: BigInt(row.i),
    // Not null in the table.
    monitorId: row.monitor_id!,
    serverId: row.server_id!,
    tsSeconds: row.s!,
    score: Math.fround(row.score!),
    step: Math.fround(row.step!),
    offset: row.offset!,
    rtt: row.rtt!,
    leap: row.leap!,
    error: row.error,
    warning: row.warning,
  }
}
