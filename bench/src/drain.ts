import { createConnection } from 'mysql2'

/**
 * A program of its own: reads every row of a table through mysql2's `execute()`, as one would write it by hand, counts
 * it and drops it. What any program that copies the rows through this driver is measured against.
 *
 * Arguments: port, database, table. Prints `{ rows, elapsedMs }`, the time from before it connects to after the last row.
 */
const [port, database, table] = process.argv.slice(2)
const columns = 'id, monitor_id, server_id, unix_timestamp(ts), score, step, `offset`, rtt, attributes'

const startedMs = performance.now()
const connection = createConnection({ host: '127.0.0.1', port: Number(port), user: 'root', database: database! })
connection.query("set time_zone = '+00:00'")
let rows = 0
connection
  .execute({ sql: `select ${columns} from \`${table}\``, rowsAsArray: true })
  .on('result', () => {
    rows += 1
  })
  .on('end', () => {
    console.log(JSON.stringify({ rows, elapsedMs: performance.now() - startedMs }))
    connection.end()
  })
