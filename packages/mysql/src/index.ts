export { askRows } from './ask-rows.js'
export { MySqlCleanupSource } from './cleanup/cleanup-source.js'
export { watchedReplicas } from './cleanup/replicas.js'
export { CleanupHold, HOLD } from './cleanup-hold.js'
export { unknownColumns } from './columns.js'
export { connect, cutOff, disconnect, isEncrypted } from './connect.js'
export { MySqlDatabase, type MySqlDatabaseOptions } from './database.js'
export {
  archiveNeeds,
  checkNeeds,
  cleanupNeeds,
  createNeeds,
  grantSql,
  type Need,
  type NeedAnswer,
  type Privilege,
  turnOnNeeds,
} from './grants.js'
export { MySqlLedger } from './ledger.js'
export { type LockOptions, MySqlLock } from './lock.js'
export type { LockNames } from './lock-names.js'
export { describeWait, watchLockWaits } from './lock-waits.js'
export { isMissingTable, statementError } from './mysql-errors.js'
export { MySqlOperator, type Skip, type StoredBatch } from './operator.js'
export { MySqlOverview } from './overview.js'
export { MySqlRanges } from './ranges.js'
export { MySqlRestoreTarget } from './restore/target.js'
export { DAY, FIRST_AND_LAST_TIME, rowTimes } from './row-times.js'
export { READ_COMMITTED } from './session.js'
export type { MySqlSettings, MySqlTls } from './settings.js'
export { type FoundTable, MySqlSetup, SETUP_SESSION, type Session, turnOnSql } from './setup.js'
export { MySqlSource, type MySqlSourceOptions } from './source.js'
export { type ControlTables, controlQueries, controlTableNames, quoteName, skipTableSql } from './tables.js'
