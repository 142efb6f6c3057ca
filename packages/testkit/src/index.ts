export { type Chromium, findChromium } from './chromium.js'
export { type ClickHouseServer, type MoreUsers, startClickHouse } from './clickhouse-server.js'
export {
  type ClickHouseDatabase,
  connectTo,
  createClickHouseDatabase,
  createDatabase,
  type MySqlAddress,
  type MySqlDatabase,
} from './database.js'
export { ServiceUnavailable } from './errors.js'
export { createGcsBucket, type FakeGcsServer, type GcsBucket, startFakeGcs } from './fake-gcs-server.js'
export { freePort } from './free-port.js'
export { type GcsFault, type GcsProxy, type GcsRequest, type GcsStep, startGcsProxy } from './gcs-proxy.js'
export { fillTable, insertRows } from './insert-rows.js'
export { type LoggedEvent, LoggingProcess, type LoggingProcessOptions } from './logging-process.js'
export { existingMySql, type MySqlServer, type MySqlServerOptions, startMariaDb, testMySql } from './mysql-server.js'
export { addPoolTables, dropPoolTables, type PoolTables } from './pool-tables.js'
export {
  type PrometheusOptions,
  type PrometheusSeries,
  type PrometheusServer,
  promtool,
  startPrometheus,
} from './prometheus.js'
export { type Python, pythonWith } from './python.js'
export { seededRandom } from './random.js'
export { type GenerateOptions, generateRows, type SourceRow } from './rows.js'
export { createSourceTables, dropTables, type SourceTables } from './schema.js'
export type { ServerProcess, Started } from './server-process.js'
export { within } from './within.js'
