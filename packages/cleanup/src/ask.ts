import type { Connection, RowDataPacket } from 'mysql2'

/** A row of a SHOW statement: columns by name. */
export type Row = Readonly<Record<string, unknown>>

/** The rows of a statement that no query builder knows. */
export function askRows(connection: Connection, statement: string): Promise<Row[]> {
  return new Promise((resolve, reject) =>
    connection.query<RowDataPacket[]>(statement, (error, rows) => (error ? reject(error) : resolve(rows))),
  )
}
