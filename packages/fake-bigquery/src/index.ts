export { ClickHouse as EmbeddedClickHouse } from './clickhouse.js'
export type * from './contract.js'
export { spawnFakeBigQuery } from './spawn.js'
export { startFakeBigQuery } from './start.js'
