import type { Ledger, Source } from '@archiver/core'
import { type Archiver, ArchiverError, type Lease } from '@archiver/core'
import type { NotHere } from '@archiver/core/engine'
import { MySqlCleanupSource, type MySqlLock } from '@archiver/mysql'
import type { Wiring } from '../archivers.js'
import type { CleanupSettings } from '../config/index.js'
import type { Reporter } from '../report/reporter.js'

export interface CleanUpJob {
  readonly job: Wiring
  /** The lock's. */
  readonly connection: MySqlLock['connection']
  readonly ledger: Ledger
  readonly source: Source
  readonly lease: Lease
  readonly drain: AbortSignal
  readonly open: (name: string) => Promise<Archiver | NotHere>
  readonly reporter: Reporter
}

/** Deletes what is old and safe. @throws ArchiverError when something is in the way that an operator has to see to. */
export async function cleanUp({ job, connection, reporter, ...bench }: CleanUpJob): Promise<void> {
  const { settings, table } = job
  const { describeBlocked, needsOperator, runCleanup } = await import('@archiver/cleanup')
  const { end } = await runCleanup({
    ...bench,
    table,
    database: new MySqlCleanupSource({ connection, settings: settings.mysql, table }),
    policy: settings.cleanup,
    throttle: throttleOf(settings.cleanup),
    settleMs: settings.settleMs,
    onEvent: (event) => reporter.onCleanup(event, table),
    onEngineEvent: reporter.onEvent,
  })
  if (end.why !== 'blocked' || !needsOperator(end.blocked)) return
  const { why, hint } = describeBlocked(end.blocked, table)
  throw new ArchiverError(`nothing more is deleted: ${why}`, {
    code: 'CLEANUP_BLOCKED',
    archiver: 'cleanup',
    table,
    hint,
  })
}

export function throttleOf({ maxLagMs, replicas, ignoredReplicas, maxLoad, pauseFile }: CleanupSettings) {
  return { maxLagMs, replicas, ignoredReplicas, maxLoad, pauseFile }
}
