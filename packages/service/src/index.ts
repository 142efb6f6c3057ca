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
export type { ServiceEvent, ServiceView } from './view.js'
