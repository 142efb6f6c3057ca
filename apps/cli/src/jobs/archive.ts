import { permitWhile } from '@archiver/core'
import { type PassResult, runPass } from '@archiver/core/engine'
import { isEncrypted, MySqlLedger, MySqlLock, MySqlSource } from '@archiver/core/mysql'
import { openArchiver, sourceOptions, type Wiring } from '../archivers.js'
import { ExitCode, exitCodeOf } from '../exit-codes.js'
import type { Reporter } from '../report/reporter.js'
import { withTracing } from '../report/tracing.js'
import { StopSignals } from '../stop-signals.js'
import { cleanUp } from './clean-up.js'

export interface ArchiveJob extends Wiring {
  /** Empty for all archivers. */
  readonly only: readonly string[]
}

/** One pass over every archiver that is turned on, then the cleaner; ends early on SIGTERM and SIGINT. @returns the exit code. */
export async function archive(job: ArchiveJob, reporter: Reporter): Promise<number> {
  const startedMs = performance.now()
  using signals = new StopSignals(job.settings.shutdownTimeoutMs, (text) => reporter.warn(text))
  try {
    const result = await pass(job, reporter, signals)
    reporter.passDone({ ...result, elapsedMs: performance.now() - startedMs })
    return signals.exitCode ?? (result.failed.size === 0 ? ExitCode.ok : ExitCode.failed)
  } catch (error) {
    reporter.failed(error)
    return signals.exitCode ?? exitCodeOf(error)
  }
}

async function pass(job: ArchiveJob, reporter: Reporter, { drain, stop }: StopSignals): Promise<PassResult> {
  const { settings, table, lock: names, only } = job
  const { mysql, lock: wait, settleMs } = settings
  await using listener = await withTracing(reporter)
  await using lock = await MySqlLock.take({ settings: mysql, ...names, timeoutMs: wait.timeoutMs, signal: drain })
  if (lock.warning !== undefined) reporter.warn(lock.warning)
  await using source = new MySqlSource({ ...sourceOptions(job), encrypted: isEncrypted(lock.connection) })
  await source.detectColumns()
  const ledger = new MySqlLedger(lock.connection, table)
  await ledger.prepare({ rejectReadOnly: mysql.rejectReadOnly })
  if ((await ledger.status()).length === 0) reporter.warn(nothingOn(table))
  const open = (archiver: string) => openArchiver(archiver, job)
  const permit = permitWhile(lock, stop)
  const bench = { ledger, source, permit, drain, open }
  const chores = { cleanup: () => cleanUp({ ...bench, job, connection: lock.connection, reporter }) }
  return await runPass({ ...bench, table, settleMs, only, chores, onEvent: listener.onEvent })
}

function nothingOn(table: string): string {
  return `no archiver is turned on: ${table}_archive_status has no row, and nothing is archived. Turn one on: archiver init -t ${table}`
}
