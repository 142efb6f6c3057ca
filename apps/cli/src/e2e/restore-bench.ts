import { type LogScore, rowsFromChunk } from '@archiver/core'
import { type MySqlSettings, MySqlSource } from '@archiver/mysql'
import { generateRows, insertRows, type SourceRow, seededRandom } from '@archiver/testkit'
import type { Connection, RowDataPacket } from 'mysql2/promise'

/** Texts of `attributes` that mean the same or nothing, or say more than an archive has columns for. */
const texts = [
  null,
  '',
  'null',
  '{}',
  '{"leap":0}',
  ' {"leap": 0}',
  '{"leap":0,"error":""}',
  '{"error":"i/o timeout","leap":0}',
  '{"leap":0,"error":"tab \\t, quote \\", \\u00e4, 時計 🕰️, back\\\\slash, \\\\N, it\'s"}',
  '{\n\t"leap": 1,\r\n\t"warning": "zero transmit time"\n}',
  '{"leap":2,"stratum":3,"nested":{"a":[1,2]}}',
]

const doubles = [0, 0.1, 1 / 3, 5e-324, -1e-30, 1e-7, 123_456_789.123_456_79, 3e38]

/** Rows that no conversion leaves alone: every tenth is odd in some column. They fit all archives. */
export function* restorableRows(rows: number, startSeconds: number): Generator<SourceRow> {
  let i = 0
  for (const row of generateRows({ rows, seed: 3, startSeconds })) yield i++ % 10 === 0 ? odd(row, i / 10) : row
}

function odd(row: SourceRow, n: number): SourceRow {
  const double = (k: number) => doubles[Math.floor(n + k) % doubles.length]!
  return {
    ...row,
    monitorId: n % 3 === 0 ? null : 2_147_483_647,
    score: double(0),
    step: double(1),
    offset: n % 5 === 0 ? null : double(2),
    rtt: n % 7 === 0 ? -8_388_608 : row.rtt,
    attributes: texts[Math.floor(n) % texts.length]!,
  }
}

/** Old rows, and a few young ones at the end, the last of which the marks will point to. */
export async function fillWithOldRows(connection: Connection, rows: number): Promise<void> {
  const startSeconds = Math.floor(Date.now() / 1000) - 40 * 86_400
  await insertRows(connection, 'log_scores', restorableRows(rows, startSeconds))
  await connection.query(
    'insert into log_scores (server_id, ts, attributes) values (1, utc_timestamp(), \'{"leap":0}\'), (2, utc_timestamp(), null)',
  )
}

/** All rows, with the texts of `attributes`. */
export async function tableRows(settings: MySqlSettings, table: string): Promise<LogScore[]> {
  const rows: LogScore[] = []
  await using source = new MySqlSource({ settings, table, exactAttributes: true })
  for await (const chunk of source.read({ afterId: 0n, upToId: 2n ** 63n })) rows.push(...rowsFromChunk(chunk))
  return rows
}

/** What is left of a row by version 1 of the Avro record, as docs/archives/fileavro.md says. */
export function roundedByAvro({ json: _, ...row }: LogScore): LogScore {
  const [score, step] = [Math.fround(row.score), Math.fround(row.step)]
  return { ...row, score, step, offset: row.offset === null ? null : Math.fround(row.offset), warning: null }
}

/** What is left of a row by ClickHouse's table, as docs/archives/clickhouse.md says. */
export function roundedByClickHouse({ json: _, ...row }: LogScore): LogScore {
  const rtt = row.rtt !== null && row.rtt < 0 ? null : row.rtt
  return { ...row, score: Math.fround(row.score), step: Math.fround(row.step), rtt }
}

export async function countOf(connection: Connection, table: string): Promise<number> {
  const [[row]] = await connection.query<RowDataPacket[]>(`select count(*) as total from \`${table}\``)
  return Number(row?.total)
}

/** Whole numbers, the same for the same seed. */
export function dice(seed: number): (least: number, most: number) => number {
  const random = seededRandom(seed)
  return (least, most) => least + Math.floor(random() * (most - least + 1))
}
