export type { ServiceConfig } from './config.js'
export type { LifeEvent } from './life-events.js'
export { Service, type ServiceOptions } from './service.js'
export type {
  ArchiverState,
  BatchProgress,
  CleanupState,
  FailureState,
  Health,
  HistorySample,
  Lag,
  LastBatch,
  MySqlState,
  NewestRow,
  ServiceState,
  ServiceStatus,
} from './status.js'
export { type MySqlStatusOptions, statusFromMySql } from './status-from-mysql.js'
export type { ServiceEvent, ServiceView } from './view.js'
export { FileWatch } from './watch-files.js'
