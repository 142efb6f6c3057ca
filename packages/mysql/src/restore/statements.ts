import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2'

/** The rows of a statement, each as an array. */
export function askRows(connection: Connection, sql: string, values: readonly unknown[] = []): Promise<unknown[][]> {
  return new Promise((resolve, reject) =>
    connection.query<RowDataPacket[][]>({ sql, values: [...values], rowsAsArray: true }, (error, rows) =>
      error ? reject(error) : resolve(rows),
    ),
  )
}

/** What a statement without rows has done. @param stream - the file that a LOAD DATA LOCAL asks for. */
export function change(
  connection: Connection,
  sql: string,
  infileStreamFactory?: () => NodeJS.ReadableStream,
): Promise<ResultSetHeader> {
  const options = infileStreamFactory === undefined ? { sql } : { sql, infileStreamFactory }
  return new Promise((resolve, reject) =>
    // The types of the driver want the stream of Node's classes; any readable one is read.
    connection.query<ResultSetHeader>(options as { sql: string }, (error, result) =>
      error ? reject(error) : resolve(result),
    ),
  )
}
