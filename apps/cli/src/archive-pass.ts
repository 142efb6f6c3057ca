import { runPass } from '@archiver/core/engine'
import { isEncrypted, MySqlLedger, MySqlLock, MySqlSource } from '@archiver/core/mysql'
import { openArchiver, type Wiring } from './archivers.js'
import { ExitCode } from './exit-codes.js'
import type { Reporter } from './report/reporter.js'

export interface ArchiveJob extends Wiring {
  /** Empty for all archivers. */
  readonly only: readonly string[]
}

/** One pass over every archiver that is turned on. @returns the exit code. */
export async function archive(job: ArchiveJob, reporter: Reporter): Promise<number> {
  const { settings, table, lockName: name, only } = job
  const startedMs = performance.now()
  await using lock = await MySqlLock.take({ settings: settings.mysql, name, timeoutMs: settings.lock.timeoutMs })
  await using source = new MySqlSource({ settings: settings.mysql, table, encrypted: isEncrypted(lock.connection) })
  await source.detectColumns()
  const ledger = new MySqlLedger(lock.connection, table)
  await ledger.prepare({ rejectReadOnly: settings.mysql.rejectReadOnly })
  const open = (archiver: string) => openArchiver(archiver, job)
  const result = await runPass({ table, ledger, source, permit: lock, open, only, onEvent: reporter.onEvent })
  reporter.passDone({ ...result, elapsedMs: performance.now() - startedMs })
  return result.failed.size === 0 ? ExitCode.ok : ExitCode.failed
}
