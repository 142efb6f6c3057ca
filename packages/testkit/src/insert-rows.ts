import { Readable } from 'node:stream'
import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2/promise'
import { loadData } from './load-data.js'
import type { SourceRow } from './rows.js'
import { addKeys, dropKeys } from './schema.js'

/**
 * Writes rows into a source table in bulk, in one transaction; a table without `rtt` or `attributes` loses those
 * values. Switches the server's `local_infile` on.
 *
 * @throws Error when the server took a row otherwise than it was given (a duplicate id, a value out of range).
 */
export async function insertRows(connection: Connection, table: string, rows: Iterable<SourceRow>): Promise<void> {
  const columns = await columnsOf(connection, table)
  await allowLocalInfile(connection)
  const names = columns.map((name) => `\`${name}\``)
  const [result] = await connection.query<ResultSetHeader>({
    sql: `load data local infile 'rows' into table \`${table}\` character set utf8mb4 (${names})`,
    infileStreamFactory: () => Readable.from(loadData(rows, columns), { objectMode: false }),
  })
  if (result.warningStatus > 0) throw new Error(`rows not taken as given: ${await warnings(connection)}`)
}

/** Like {@link insertRows} for an empty table and many rows: twice as fast, as the keys are built afterwards. */
export async function fillTable(connection: Connection, table: string, rows: Iterable<SourceRow>): Promise<void> {
  await dropKeys(connection, table)
  await insertRows(connection, table, rows)
  await addKeys(connection, table)
}

async function columnsOf(connection: Connection, table: string): Promise<string[]> {
  const [described] = await connection.query<RowDataPacket[]>(`describe \`${table}\``)
  return described.map((column) => String(column.Field))
}

async function allowLocalInfile(connection: Connection): Promise<void> {
  const [rows] = await connection.query<RowDataPacket[]>('select @@global.local_infile as allowed')
  if (!rows[0]?.allowed) await connection.query('set global local_infile = 1')
}

async function warnings(connection: Connection): Promise<string> {
  const [rows] = await connection.query<RowDataPacket[]>('show warnings limit 3')
  return rows.map((warning) => warning.Message).join('; ')
}
