import type { Acknowledged, TableWarning } from '@archiver/core'
import { connect, cutOff, disconnect, type FinishedBatch, MySqlOverview, type Overview } from '@archiver/mysql'
import { CLEANUP, type ServiceConfig } from './config.js'

/** Everything that MySQL knows of the archivers. */
export interface FullLook {
  readonly overview: Overview
  /** See `MySqlOverview.oldestWaiting`. */
  readonly waiting: ReadonlyMap<string, number | null>
  readonly batches: ReadonlyMap<string, FinishedBatch>
  readonly skipped: ReadonlyMap<string, number>
  readonly oldestTsSeconds: number | null
  readonly warnings: readonly TableWarning[]
}

/** A server that is silent for so long does not answer any more. */
const ANSWER_MS = 10_000

/** Looks over a connection of its own. @throws ArchiverError */
export async function lookAtMySql({
  mysql,
  table,
  cleanup,
}: Pick<ServiceConfig, 'mysql' | 'table' | 'cleanup'>): Promise<FullLook> {
  const connection = await connect(mysql)
  const silent = setTimeout(() => cutOff(connection), ANSWER_MS)
  try {
    return await fullLook(new MySqlOverview(connection, table), cleanup.policy.unarchived)
  } finally {
    clearTimeout(silent)
    await disconnect(connection)
  }
}

async function fullLook(mysql: MySqlOverview, acknowledged: Acknowledged | undefined): Promise<FullLook> {
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
