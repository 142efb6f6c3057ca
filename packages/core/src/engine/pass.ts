import { archiverOff } from '../contract/errors.js'
import type { ArchiverStatus } from '../contract/ledger.js'
import { prepareArchive } from './prepare-archive.js'
import { reasonOf, type ServeOptions, serveArchiver } from './serve.js'

export interface PassOptions extends Omit<ServeOptions, 'settledId'> {
  /**
   * What is done for rows of the status table that are no archive's, by their name; after all archives have been served.
   * A chore that rejects has failed like an archiver.
   */
  readonly chores?: Readonly<Record<string, () => Promise<void>>>
  /** Only these archivers and chores; all where it is empty. */
  readonly only?: readonly string[]
}

export interface PassResult {
  readonly rows: number
  /** The archivers that failed, each with its error. */
  readonly failed: ReadonlyMap<string, Error>
}

type Job = PassOptions & Required<Pick<PassOptions, 'only' | 'chores' | 'drain'>>

/** One pass over all archivers, one after the other; a failed one does not stop the rest. */
export async function runPass(options: PassOptions): Promise<PassResult> {
  const drain = new AbortController().signal
  const job: Job = { only: [], chores: {}, drain, ...options }
  const failed = new Map<string, Error>()
  let rows = 0
  const selected = await selectStatuses(job, failed)
  const statuses = selected.filter(({ archiver }) => job.chores[archiver] === undefined)
  await clearLeftovers(job, statuses)
  for (const status of statuses) {
    const progress = { rows: 0, batches: 0, mark: status.mark ?? 0n }
    await attempt(job, status.archiver, failed, () => serveArchiver(job, status, progress))
    rows += progress.rows
  }
  for (const { archiver } of selected) {
    const chore = job.chores[archiver]
    if (chore !== undefined) await attempt(job, archiver, failed, chore)
  }
  return { rows, failed }
}

/** Does the work unless it is time to stop; a failure is reported and kept. */
async function attempt(
  job: Job,
  name: string,
  failed: Map<string, Error>,
  work: () => Promise<unknown>,
): Promise<void> {
  if (job.drain.aborted) return
  job.lease.assertHeld()
  try {
    await work()
  } catch (error) {
    const failure = reasonOf(error, job.lease)
    job.onEvent({ event: 'archiver.failed', archiver: name, error: failure })
    failed.set(name, failure)
  }
}

async function selectStatuses(job: Job, failed: Map<string, Error>): Promise<readonly ArchiverStatus[]> {
  const { ledger, only, table, onEvent } = job
  const statuses = await ledger.status()
  for (const name of only.filter((wanted) => !statuses.some(({ archiver }) => archiver === wanted))) {
    const error = archiverOff(name, table)
    onEvent({ event: 'archiver.failed', archiver: name, error })
    failed.set(name, error)
  }
  return only.length === 0 ? statuses : statuses.filter(({ archiver }) => only.includes(archiver))
}

/**
 * Before anything else, what crashed or frozen predecessors left is cleared away: a writer that thaws later then finds
 * its temporary file gone. Only an archiver with an unfinished batch can have left something.
 */
async function clearLeftovers({ ledger, open, table }: Job, statuses: readonly ArchiverStatus[]): Promise<void> {
  for (const { archiver: name, mark } of statuses) {
    if ((await ledger.planned(name)) === null) continue
    try {
      const opened = await open(name)
      if ('notHere' in opened) continue
      await using archiver = opened
      await prepareArchive({ archiver, table, ledger }, mark ?? 0n)
    } catch {
      // Whatever it is, it is met and reported when this archiver is served.
    }
  }
}
