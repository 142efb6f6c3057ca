export { connect, disconnect, isEncrypted, type MySqlSettings, type MySqlTls } from './connect.js'
export { MySqlLedger } from './ledger.js'
export { LockHeldError, type LockOptions, MySqlLock } from './lock.js'
export { MySqlSource, type MySqlSourceOptions } from './source.js'
