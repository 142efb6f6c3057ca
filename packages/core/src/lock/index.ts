export { HeldLock, LOCK_TIMES, LockHeldError, type LockSession, type LockTimes } from './held-lock.js'
