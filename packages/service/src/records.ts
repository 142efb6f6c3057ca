import type { BatchPolicy, FinishedBatch } from '@archiver/core'
import { ArchiverError, errorText, harmlessText } from '@archiver/core'
import { lateAfterMs, type ServiceConfig } from './config.js'
import type {
  ArchiverState,
  BatchProgress,
  CleanupState,
  FailureState,
  Health,
  LastBatch,
  MySqlState,
  NewestRow,
} from './status.js'

/** What is known of an archiver. Times are milliseconds since 1970. */
export interface ArchiverRecord {
  readonly archiver: string
  state: ArchiverState['state']
  mark: bigint | null
  markedAtMs: number | null
  /** Of the oldest row that waits, when it was looked at. */
  waitingMs: number | null
  waitingAtMs: number
  batch: BatchProgress | null
  lastBatch: LastBatch | null
  nextRunAtMs: number | null
  lastSuccessAtMs: number | null
  error: FailureState | null
  failuresInARow: number
  skippedRows: number
  deletedFromSourceRows: number
  policy: BatchPolicy | null
}

export function newRecord(archiver: string): ArchiverRecord {
  return {
    archiver,
    state: 'unknown',
    mark: null,
    markedAtMs: null,
    waitingMs: null,
    waitingAtMs: 0,
    batch: null,
    lastBatch: null,
    nextRunAtMs: null,
    lastSuccessAtMs: null,
    error: null,
    failuresInARow: 0,
    skippedRows: 0,
    deletedFromSourceRows: 0,
    policy: null,
  }
}

/** What is known of the cleaner. */
export interface CleanupRecord {
  state: CleanupState['state']
  lastRunAtMs: number | null
  nextRunAtMs: number | null
  deletedRows: number | null
  keptRows: CleanupState['keptRows']
  oldestTsSeconds: number | null
  blocked: CleanupState['blocked']
  error: FailureState | null
  intervalMs: number
}

export function newCleanupRecord(intervalMs: number): CleanupRecord {
  return {
    state: 'unknown',
    lastRunAtMs: null,
    nextRunAtMs: null,
    deletedRows: null,
    keptRows: null,
    oldestTsSeconds: null,
    blocked: null,
    error: null,
    intervalMs,
  }
}

/** The newest row, as the records are compared with it. */
export interface Newest {
  readonly id: bigint
  readonly tsSeconds: number | null
}

type Limits = Pick<ServiceConfig, 'statusLateAfterMs' | 'runIntervalMs'>

/** The record as it is shown. */
export function archiverState(
  record: ArchiverRecord,
  newest: Newest | null,
  limits: Limits,
  nowMs: number,
): ArchiverState {
  const { archiver, state, batch, lastBatch, error, failuresInARow, skippedRows, deletedFromSourceRows, policy } =
    record
  const behind = newest === null ? null : newest.id - (record.mark ?? 0n)
  const lag = {
    rows: behind === null ? null : (behind > 0n ? behind : 0n).toString(),
    ms: waitingMs(record, behind, nowMs),
  }
  return {
    archiver: harmlessText(archiver),
    state,
    health: healthOf(record, behind ?? 0n, lag.ms, limits),
    mark: record.mark?.toString() ?? null,
    markedAt: iso(record.markedAtMs),
    lag,
    batch,
    lastBatch,
    nextRunAt: iso(record.nextRunAtMs),
    lastSuccessAt: iso(record.lastSuccessAtMs),
    error,
    failuresInARow,
    skippedRows,
    deletedFromSourceRows,
    policy:
      policy === null ? null : { minRows: policy.minRows, maxRows: policy.maxRows, intervalMs: policy.intervalMs },
  }
}

/** What waited when it was looked at still waits, unless the mark has passed it. */
function waitingMs(
  { waitingMs: ms, waitingAtMs }: ArchiverRecord,
  behind: bigint | null,
  nowMs: number,
): number | null {
  if (behind === null) return null
  if (behind <= 0n) return 0
  return ms === null ? null : Math.max(0, Math.round(ms + nowMs - waitingAtMs))
}

function healthOf({ error, policy }: ArchiverRecord, behind: bigint, ms: number | null, limits: Limits): Health {
  if (error !== null) return 'failing'
  if (policy === null && limits.statusLateAfterMs === undefined) return 'ok'
  const enough = behind >= BigInt(policy?.minRows ?? 1)
  return enough && (ms ?? 0) > lateAfterMs(limits, policy?.intervalMs ?? 0) ? 'late' : 'ok'
}

/** The record as it is shown. */
export function cleanupState(
  record: CleanupRecord,
  limits: Limits & { readonly cleanup: Pick<ServiceConfig['cleanup'], 'policy'> },
  nowMs: number,
): CleanupState {
  const { state, deletedRows, keptRows, oldestTsSeconds, blocked, error } = record
  return {
    state,
    health: cleanupHealth(record, limits, nowMs),
    lastRunAt: iso(record.lastRunAtMs),
    nextRunAt: iso(record.nextRunAtMs),
    deletedRows,
    keptRows,
    oldestTs: iso(oldestTsSeconds === null ? null : oldestTsSeconds * 1000),
    retentionDays: limits.cleanup.policy.retentionDays,
    blocked,
    error,
  }
}

function cleanupHealth(
  { state, error, lastRunAtMs, intervalMs }: CleanupRecord,
  limits: Limits,
  nowMs: number,
): Health {
  if (error !== null || state === 'blocked') return 'failing'
  return lastRunAtMs !== null && nowMs - lastRunAtMs > lateAfterMs(limits, intervalMs) ? 'late' : 'ok'
}

export function worst(healths: readonly Health[]): Health {
  return (['failing', 'late'] as const).find((health) => healths.includes(health)) ?? 'ok'
}

export function newestRow(newest: Newest | null): NewestRow | null {
  return newest === null
    ? null
    : { id: newest.id.toString(), ts: iso(newest.tsSeconds === null ? null : newest.tsSeconds * 1000) }
}

export function lastBatch({ id, rows, bytes, identity, elapsedMs, doneAtMs }: FinishedBatch): LastBatch {
  const doneAt = new Date(doneAtMs).toISOString()
  return { id: id.toString(), rows, bytes, identity: harmlessText(identity), elapsedMs: Math.round(elapsedMs), doneAt }
}

/** An error as it may be shown to anybody. */
export function failureState(error: unknown, nowMs: number): FailureState {
  const at = new Date(nowMs).toISOString()
  const message = errorText(error)
  if (!(error instanceof ArchiverError)) return { at, since: at, code: 'UNEXPECTED', message, hint: null }
  return { at, since: at, code: error.code, message, hint: error.hint === undefined ? null : harmlessText(error.hint) }
}

/** The failure, with the time at which the failures in a row began. */
export function following(error: FailureState | null, before: FailureState | null): FailureState | null {
  return error === null || before === null ? error : { ...error, since: before.since }
}

/** ISO 8601 in UTC. */
function iso(ms: number | null): string | null {
  // Times of rows may lie beyond what a Date can hold.
  return ms === null || Math.abs(ms) > 8.64e15 ? null : new Date(ms).toISOString()
}

export function mysqlState(
  error: FailureState | null,
  answeredAtMs: number | null,
  nextTryAtMs: number | null,
  pool: MySqlState['pool'],
): MySqlState {
  const nextTryAt = error === null ? null : iso(nextTryAtMs)
  return { reachable: error === null, answeredAt: iso(answeredAtMs), error, nextTryAt, pool }
}

/** A standby does not know what the leader does. */
export function forgetWork(records: Iterable<ArchiverRecord>, cleanup: CleanupRecord | null): void {
  for (const record of records) {
    Object.assign(record, { state: 'unknown', batch: null, nextRunAtMs: null, error: null, failuresInARow: 0 })
  }
  if (cleanup !== null) Object.assign(cleanup, { state: 'unknown', nextRunAtMs: null, blocked: null, error: null })
}
