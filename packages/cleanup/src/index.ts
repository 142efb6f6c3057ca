export { type Blocked, describeBlocked, needsOperator } from './blocked.js'
export { runCleanup } from './cleaner.js'
export type { CleanupEvent, OnCleanupEvent } from './events.js'
export { unseenReplicas } from './look-at-replicas.js'
export type {
  CleanupEnd,
  CleanupOptions,
  CleanupPolicy,
  CleanupResult,
  KeptRows,
  ThrottlePolicy,
  VerifyMode,
} from './options.js'
