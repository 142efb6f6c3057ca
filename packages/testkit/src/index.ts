export { type ClickHouseServer, startClickHouse } from './clickhouse-server.js'
export {
  type ClickHouseDatabase,
  connectTo,
  createClickHouseDatabase,
  createDatabase,
  type MySqlAddress,
  type MySqlDatabase,
} from './database.js'
export { ServiceUnavailable } from './errors.js'
export { freePort } from './free-port.js'
export { fillTable, insertRows } from './insert-rows.js'
export { existingMySql, type MySqlServer, type MySqlServerOptions, startMariaDb, testMySql } from './mysql-server.js'
export { seededRandom } from './random.js'
export { type GenerateOptions, generateRows, type SourceRow } from './rows.js'
export { createSourceTables, dropTables, type SourceTables } from './schema.js'
export type { ServerProcess, Started } from './server-process.js'
