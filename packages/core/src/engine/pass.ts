import { ArchiverError, inOperation } from '../errors.js'
import type { Archiver, Permit, PlannedBatch } from '../types.js'
import { dueNow } from './due.js'
import type { OnEvent } from './events.js'
import { startWatch } from './holes.js'
import type { ArchiverStatus, Ledger } from './ledger.js'
import { backoffMs, DEFAULT_RETRY, isRetryable, pause, type RetryPolicy } from './retry.js'
import { type Progress, runArchiver } from './run-archiver.js'
import type { Source } from './source.js'

/** An archiver that is turned on but is not to be run here, and why; no failure. */
export interface NotHere {
  readonly notHere: string
}

export interface PassOptions {
  readonly table: string
  readonly ledger: Ledger
  readonly source: Source
  readonly permit: Permit
  /** Makes the archiver of a status row. Throws for one that cannot be made. */
  readonly open: (name: string) => Promise<Archiver | NotHere>
  /**
   * What is done for rows of the status table that are no archive's, by their name; after all archives have been served.
   * A chore that rejects has failed like an archiver.
   */
  readonly chores?: Readonly<Record<string, () => Promise<void>>>
  /** Only these archivers and chores; all where it is empty. */
  readonly only?: readonly string[]
  /** How long an id may be allocated and not yet inserted (`archive_settle`). Default 3000. */
  readonly settleMs?: number
  readonly retry?: RetryPolicy
  /** Once aborted, no further batch is begun and nothing is waited for; the batch in hand is finished. */
  readonly drain?: AbortSignal
  readonly onEvent: OnEvent
}

export interface PassResult {
  readonly rows: number
  /** The archivers that failed, each with its error. */
  readonly failed: ReadonlyMap<string, Error>
}

type Job = Required<PassOptions>

/** One pass over all archivers, one after the other; a failed one does not stop the rest. */
export async function runPass(options: PassOptions): Promise<PassResult> {
  const drain = new AbortController().signal
  const job: Job = { only: [], chores: {}, settleMs: 3_000, retry: DEFAULT_RETRY, drain, ...options }
  const failed = new Map<string, Error>()
  let rows = 0
  const selected = await selectStatuses(job, failed)
  const statuses = selected.filter(({ archiver }) => job.chores[archiver] === undefined)
  await clearLeftovers(job, statuses)
  for (const status of statuses) {
    const progress = { rows: 0, batches: 0, mark: status.mark ?? 0n }
    await attempt(job, status.archiver, failed, () => serve(job, status, progress))
    rows += progress.rows
  }
  for (const { archiver } of selected) {
    const chore = job.chores[archiver]
    if (chore !== undefined) await attempt(job, archiver, failed, chore)
  }
  return { rows, failed }
}

/** Does the work unless it is time to stop; a failure is reported and kept. */
async function attempt(job: Job, name: string, failed: Map<string, Error>, work: () => Promise<void>): Promise<void> {
  if (job.drain.aborted) return
  job.permit.check()
  try {
    await work()
  } catch (error) {
    const failure = reasonOf(error, job.permit)
    job.onEvent({ event: 'archiver.failed', archiver: name, error: failure })
    failed.set(name, failure)
  }
}

/** Once the lock is lost or the time to stop is over, that is the reason of whatever failed. */
function reasonOf(error: unknown, permit: Permit): Error {
  try {
    permit.check()
  } catch (gone) {
    if (gone instanceof Error) return gone
  }
  return error instanceof Error ? error : new Error(String(error))
}

async function selectStatuses(job: Job, failed: Map<string, Error>): Promise<readonly ArchiverStatus[]> {
  const { ledger, only, table, onEvent } = job
  const statuses = await ledger.status()
  for (const name of only.filter((wanted) => !statuses.some(({ archiver }) => archiver === wanted))) {
    const error = turnedOff(name, table)
    onEvent({ event: 'archiver.failed', archiver: name, error })
    failed.set(name, error)
  }
  return only.length === 0 ? statuses : statuses.filter(({ archiver }) => only.includes(archiver))
}

function turnedOff(name: string, table: string): ArchiverError {
  return new ArchiverError(`${name} is not turned on: it has no row in ${table}_archive_status`, {
    code: 'ARCHIVER_OFF',
    archiver: name,
    table,
    hint: `Turn it on: insert into \`${table}_archive_status\` (archiver) values ('${name}');`,
  })
}

/**
 * Before anything else, what crashed or frozen predecessors left is cleared away: a writer that thaws later then finds
 * its temporary file gone. Only an archiver with an unfinished batch can have left something.
 */
async function clearLeftovers({ ledger, open, table }: Job, statuses: readonly ArchiverStatus[]): Promise<void> {
  for (const { archiver: name } of statuses) {
    if ((await ledger.planned(name)) === null) continue
    try {
      const opened = await open(name)
      if ('notHere' in opened) continue
      await using archiver = opened
      await archiver.prepare(table)
    } catch {
      // Whatever it is, it is met and reported when this archiver is served.
    }
  }
}

/** Runs one archiver if it is due. */
async function serve(job: Job, status: ArchiverStatus, progress: Progress): Promise<void> {
  const { open, onEvent } = job
  const name = status.archiver
  const opened = await open(name)
  if ('notHere' in opened) return onEvent({ event: 'archiver.skipped', archiver: name, why: opened.notHere })
  await using archiver = opened
  const startedMs = performance.now()
  await archiver.check?.()
  const left = await job.ledger.planned(name)
  const answer = await dueNow(job.source, status, archiver.batch, left)
  if (!answer.due) return onEvent({ event: 'archiver.skipped', archiver: name, why: answer.why })
  await persist(job, archiver, progress, left)
  const { rows, batches } = progress
  onEvent({ event: 'archiver.done', archiver: name, rows, batches, elapsedMs: performance.now() - startedMs })
}

/** Tries again, from what the ledger says then, as long as the failures are such as pass. */
async function persist(job: Job, archiver: Archiver, progress: Progress, left: PlannedBatch | null): Promise<void> {
  let tries = 1
  for (let batch = left; ; batch = await job.ledger.planned(archiver.name)) {
    const before = progress.batches
    try {
      return await attend(job, archiver, progress, batch)
    } catch (error) {
      tries = progress.batches > before ? 2 : tries + 1
      if (!isRetryable(error) || tries > job.retry.attempts || job.drain.aborted) throw error
      const delayMs = backoffMs(job.retry, tries)
      job.onEvent({ event: 'archiver.retrying', archiver: archiver.name, error, attempt: tries, delayMs })
      await pause(delayMs, job.permit.signal, job.drain)
    }
  }
}

async function attend(job: Job, archiver: Archiver, progress: Progress, left: PlannedBatch | null): Promise<void> {
  const { ledger, source, permit, settleMs, onEvent, table, drain } = job
  await inOperation({ operation: 'prepare', archiver: archiver.name, table }, () => archiver.prepare(table))
  const skipped = await ledger.skipped(archiver.name)
  const watch = await startWatch(source)
  await runArchiver({ archiver, ledger, source, permit, settleMs, watch, skipped, onEvent }, progress, left, drain)
}
