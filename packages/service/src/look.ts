import {
  type Acknowledged,
  CLEANUP,
  type FinishedBatch,
  type Overview,
  type StatusQueries,
  type TableWarning,
} from '@archiver/core'
import type { ServiceConfig } from './config.js'

/** Everything that MySQL knows of the archivers. */
export interface FullLook {
  readonly overview: Overview
  /** See `StatusQueries.oldestWaiting`. */
  readonly waiting: ReadonlyMap<string, number | null>
  readonly batches: ReadonlyMap<string, FinishedBatch>
  readonly skipped: ReadonlyMap<string, number>
  readonly oldestTsSeconds: number | null
  readonly warnings: readonly TableWarning[]
}

/** A server that is silent for so long does not answer any more. */
const ANSWER_MS = 10_000

/** Looks over a connection of its own. @throws ArchiverError */
export function lookAtMySql({
  database,
  table,
  cleanup,
}: Pick<ServiceConfig, 'database' | 'table' | 'cleanup'>): Promise<FullLook> {
  return database.queryStatus(table, ANSWER_MS, (queries) => fullLook(queries, cleanup.policy.unarchived))
}

async function fullLook(mysql: StatusQueries, acknowledged: Acknowledged | undefined): Promise<FullLook> {
  const overview = await mysql.look()
  const archivers = overview.archivers.filter(({ archiver }) => archiver !== CLEANUP)
  return {
    overview,
    waiting: await mysql.oldestWaiting(behind(overview)),
    batches: await mysql.lastBatches(archivers.map(({ archiver }) => archiver)),
    skipped: await mysql.skippedRows(),
    oldestTsSeconds: await mysql.oldestTsSeconds(),
    warnings: await mysql.tableWarnings(acknowledged),
  }
}

/** The archivers that have not stored every row. */
export function behind({ archivers, newest }: Overview) {
  return archivers.filter(({ archiver, mark }) => archiver !== CLEANUP && (mark ?? 0n) < (newest?.id ?? 0n))
}
