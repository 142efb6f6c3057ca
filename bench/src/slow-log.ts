import type { Connection, RowDataPacket } from 'mysql2/promise'

/** A statement, as the server's log has it. */
export interface LoggedStatement {
  readonly text: string
  /** On the server, from its arrival to its end, waits for locks included. */
  readonly elapsedMs: number
}

/**
 * Has the server log every statement of the sessions that begin while something works, each with its time, and finds
 * the one that took longest. What others do over connections that are open already does not count.
 */
export async function longestStatementOf<Result>(
  connection: Connection,
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly longest: LoggedStatement | undefined }> {
  await connection.query('truncate mysql.slow_log')
  await connection.query("set global log_output = 'TABLE', global long_query_time = 0, global slow_query_log = 1")
  try {
    const result = await work()
    return { result, longest: await longestLogged(connection) }
  } finally {
    await connection.query('set global slow_query_log = 0, global long_query_time = default')
  }
}

async function longestLogged(connection: Connection): Promise<LoggedStatement | undefined> {
  const [[longest]] = await connection.query<RowDataPacket[]>(
    `select convert(sql_text using utf8mb4) as text, time_format(query_time, '%H:%i:%s.%f') as time
     from mysql.slow_log order by query_time desc limit 1`,
  )
  return longest && { text: String(longest.text).replace(/\s+/g, ' '), elapsedMs: millisecondsOf(longest.time) }
}

/** @param time as `00:00:01.250000` */
function millisecondsOf(time: string): number {
  return time.split(':').reduce((seconds, part) => seconds * 60 + Number(part), 0) * 1000
}
