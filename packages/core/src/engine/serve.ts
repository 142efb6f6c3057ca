import type { Archiver } from '../contract/archiver.js'
import type { PlannedBatch } from '../contract/batch.js'
import type { Lease } from '../contract/lease.js'
import type { ArchiverStatus, Ledger } from '../contract/ledger.js'
import type { Source } from '../contract/source.js'
import { pause } from '../values/time.js'
import { type Due, dueNow } from './due.js'
import type { OnEvent } from './events.js'
import { startWatch } from './holes.js'
import { prepareArchive } from './prepare-archive.js'
import { backoffMs, DEFAULT_RETRY, isRetryable, type RetryPolicy } from './retry.js'
import { type Progress, runArchiver } from './run-archiver.js'
import { reportWarnings } from './warnings.js'

/** An archiver that is turned on but is not to be run here, and why; no failure. */
export interface NotHere {
  readonly notHere: string
}

/** What an archiver is served with, in a pass or by a service. */
export interface ServeOptions {
  readonly table: string
  readonly ledger: Ledger
  readonly source: Source
  readonly lease: Lease
  /** Makes the archiver of a status row. Throws for one that cannot be made. */
  readonly open: (name: string) => Promise<Archiver | NotHere>
  /** How long an id may be allocated and not yet inserted (`archive_settle`). Default 3000. */
  readonly settleMs?: number
  /** Ids up to here were handed out longer ago than that, as far as is known. Default 0. */
  readonly settledId?: bigint
  readonly retry?: RetryPolicy
  /** Once aborted, no further batch is begun and nothing is waited for; the batch in hand is finished. */
  readonly drain?: AbortSignal
  readonly onEvent: OnEvent
}

type Job = Required<ServeOptions>

/** What serving an archiver came to. */
export type Served = Due | { readonly due: false; readonly why: string; readonly notHere: true }

/**
 * Runs one archiver if it is due: opens it, finishes what an earlier run left, and stores what waits. What fails for
 * reasons that pass is tried again.
 *
 * @param progress - starts at the mark; tells what was done also when the run fails.
 * @throws whatever ended the run; {@link reasonOf} says why.
 */
export async function serveArchiver(
  options: ServeOptions,
  status: ArchiverStatus,
  progress: Progress,
): Promise<Served> {
  const drain = new AbortController().signal
  const job: Job = { settleMs: 3_000, settledId: 0n, retry: DEFAULT_RETRY, drain, ...options }
  const { open, onEvent } = job
  const name = status.archiver
  const opened = await open(name)
  if ('notHere' in opened) return skip(job, name, { due: false, why: opened.notHere, notHere: true })
  await using archiver = opened
  const startedMs = performance.now()
  await archiver.validate?.()
  const left = await job.ledger.planned(name)
  const answer = await dueNow(job.source, status, archiver.policy, left)
  if (!answer.due) return skip(job, name, answer)
  await persist(job, archiver, progress, left)
  const { rows, batches } = progress
  onEvent({ event: 'archiver.done', archiver: name, rows, batches, elapsedMs: performance.now() - startedMs })
  return answer
}

function skip({ onEvent }: Job, archiver: string, answer: Exclude<Served, { due: true }>): Served {
  onEvent({ event: 'archiver.skipped', archiver, why: answer.why })
  return answer
}

/** Once the lock is lost or the time to stop is over, that is the reason of whatever failed. */
export function reasonOf(error: unknown, lease: Lease): Error {
  try {
    lease.assertHeld()
  } catch (gone) {
    if (gone instanceof Error) return gone
  }
  return error instanceof Error ? error : new Error(String(error))
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
      const isOver = job.drain.aborted || job.lease.signal.aborted
      if (!isRetryable(error) || tries > job.retry.attempts || isOver) throw error
      const delayMs = backoffMs(job.retry, tries)
      job.onEvent({ event: 'archiver.retrying', archiver: archiver.name, error, attempt: tries, delayMs })
      await pause(delayMs, job.lease.signal, job.drain)
    }
  }
}

async function attend(job: Job, archiver: Archiver, progress: Progress, left: PlannedBatch | null): Promise<void> {
  const { ledger, source, lease, settleMs, settledId, onEvent, table, drain } = job
  await prepareArchive({ archiver, table, ledger }, progress.mark)
  const skipped = await ledger.skipped(archiver.name)
  const watch = await startWatch(source, settledId)
  const run = { table, archiver, ledger, source, lease, settleMs, watch, skipped, onEvent }
  try {
    reportWarnings(archiver, table, onEvent)
    await runArchiver(run, progress, left, drain)
  } finally {
    reportWarnings(archiver, table, onEvent)
  }
}
