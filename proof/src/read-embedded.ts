import { once } from 'node:events'
import { createChdbConnection } from 'chdb/connection'

/** `node read-embedded.js FOLDER SQL`: prints what ClickHouse inside the process answers, as JSON lines. */
const [path, sql] = process.argv.slice(2) as [string, string] // only the tests run it
const { chdb } = createChdbConnection({ path })
for await (const piece of chdb.queryStream(sql, { format: 'JSONEachRow' })) {
  if (!process.stdout.write(piece.raw())) await once(process.stdout, 'drain')
}
process.exit()
