import type { Connection, RowDataPacket } from 'mysql2'

/** A row of a SHOW statement: columns by name. */
export type Row = Readonly<Record<string, unknown>>

/**
 * The rows of a statement that no query builder knows.
 *
 * @param timeoutMs - the longest wait for the answer; then the connection is of no more use. Default: for ever.
 */
export function askRows(connection: Connection, sql: string, timeoutMs?: number): Promise<Row[]> {
  const options = timeoutMs === undefined ? { sql } : { sql, timeout: timeoutMs }
  return new Promise((resolve, reject) =>
    connection.query<RowDataPacket[]>(options, (error, rows) => (error ? reject(error) : resolve(rows))),
  )
}
