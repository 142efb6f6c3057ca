export { type ClickHouseArchiverOptions, createClickHouseArchiver } from './archiver.js'
export { maskClickHouseDsn, parseClickHouseDsn } from './dsn.js'
export { createTable } from './prepare-table.js'
export type { ClickHouseServers, ClickHouseTarget, Compression, EmbeddedClickHouse } from './target.js'
