import { type Ledger, leaseWhile } from '@archiver/core'
import {
  type EngineEvent,
  type OnEvent,
  type PassResult,
  runPass,
  stampWarnings,
  unlessAcknowledged,
} from '@archiver/core/engine'
import { isEncrypted, MySqlLedger, MySqlLock, MySqlOverview, MySqlSource, watchLockWaits } from '@archiver/mysql'
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
  using _waits = watchLockWaits(job.settings.mysql, (text) => reporter.warn(text))
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
  const lease = leaseWhile(lock, stop)
  const onEvent = (event: EngineEvent): void => {
    const shown = unlessAcknowledged(event, settings.cleanup.unarchived)
    if (shown !== null) listener.onEvent(shown)
  }
  await warnOfTable(job, ledger, lock.connection, onEvent)
  const bench = { ledger, source, lease, drain, open }
  const chores = { cleanup: () => cleanUp({ ...bench, job, connection: lock.connection, reporter }) }
  return await runPass({ ...bench, table, settleMs, only, chores, onEvent })
}

/** Says what an operator should know of the table and its status, before anything is archived. */
async function warnOfTable(
  { settings, table }: ArchiveJob,
  ledger: Ledger,
  connection: MySqlLock['connection'],
  onEvent: OnEvent,
): Promise<void> {
  const ofTable = await new MySqlOverview(connection, table).tableWarnings(settings.cleanup.unarchived)
  const ofStamps = stampWarnings(await ledger.status())
  for (const warning of [...ofTable, ...ofStamps]) onEvent({ event: 'table.warning', warning })
}

function nothingOn(table: string): string {
  return `no archiver is turned on: ${table}_archive_status has no row, and nothing is archived. Turn one on: archiver init -t ${table}`
}
