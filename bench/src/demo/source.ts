import {
  createDatabase,
  createSourceTables,
  fillTable,
  generateRows,
  insertRows,
  type MySqlAddress,
  type MySqlServer,
  startMariaDb,
} from '@archiver/testkit'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { rowRate } from '../statistics.js'
import { count } from '../text.js'
import { counted, step } from './progress.js'

/** The demo's NTP Pool: a MariaDB of its own, with its tables and rows. */
export interface DemoSource {
  readonly server: MySqlServer
  readonly address: MySqlAddress
  readonly connection: Connection
}

export async function startServer(): Promise<MySqlServer> {
  const what = 'Starting a MariaDB of its own'
  return step(what, startMariaDb, ({ version, port }) => `${version} on 127.0.0.1:${port}`)
}

/** Makes the tables and their rows, and turns the two archivers on. */
export async function fillSource(server: MySqlServer, rows: number): Promise<DemoSource> {
  const { address, connect } = await createDatabase(server)
  const connection = await connect()
  await createSourceTables(connection, { archivers: ['fileavro', 'clickhouse'] })
  await step(`Generating ${count(rows)} measurements`, () =>
    fillTable(connection, 'log_scores', counted(generateRows({ rows }), rows)),
  )
  return { server, address, connection }
}

/** What the archiver has on record of its batches. */
export interface Stored {
  readonly archiver: string
  readonly rows: number
  readonly batches: number
  /** Rows a second, from plan to commit. */
  readonly rate: number
}

export async function storedBatches({ connection }: DemoSource): Promise<Stored[]> {
  const [rows] = await connection.query<RowDataPacket[]>(`
    select archiver, sum(row_count) as stored, count(*) as batches,
      sum(timestampdiff(microsecond, planned_on, done_on)) / 1000 as elapsed_ms
    from log_scores_archive_batch where state = 'done' group by archiver order by min(id)`)
  return rows.map(({ archiver, stored, batches, elapsed_ms }) => {
    const elapsedMs = Math.max(1, Number(elapsed_ms))
    return { archiver, rows: Number(stored), batches: Number(batches), rate: rowRate(Number(stored), elapsedMs) }
  })
}

const NEW_ROWS = 50
const NEW_ROWS_INTERVAL_MS = 1000

/** Adds new measurements every second, as monitors do, until the signal. */
export async function keepMeasuring({ connection }: DemoSource, signal: AbortSignal): Promise<void> {
  for (let seed = 2; !signal.aborted; seed++) {
    const [[row]] = await connection.query<RowDataPacket[]>(
      'select max(id) as last, unix_timestamp() as now from log_scores',
    )
    const options = { seed, rows: NEW_ROWS, firstId: BigInt(row!.last) + 1n, startSeconds: Number(row!.now) }
    await insertRows(connection, 'log_scores', generateRows(options))
    await new Promise((resolve) => setTimeout(resolve, NEW_ROWS_INTERVAL_MS))
  }
}
