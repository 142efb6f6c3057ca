import { ArchiverError, type ErrorPlace, type Lease, pause } from '@archiver/core'
import type { JobMetadata } from '@google-cloud/bigquery'
import type { ErrorProto } from './errors.js'
import type { Link } from './link.js'

/** What has become of a load job. */
export interface LoadJob {
  readonly id: string
  readonly state: 'running' | 'done' | 'failed'
  /** In the table; 0 unless the job is done. */
  readonly rows: number
  readonly bytes: number
  readonly labels: Readonly<Record<string, string>>
  /** Of a failed job, the one that ended it first. */
  readonly errors: readonly ErrorProto[]
}

export const firstPollMs = 100
export const longestPollMs = 3_000
/** BigQuery ends a load job after six hours at the latest; the next pass may look again well before. */
export const waitLimitMs = 900_000

/** The job as it is now; undefined where BigQuery does not know it (any more). */
export async function findJob(link: Link, id: string, signal: AbortSignal): Promise<LoadJob | undefined> {
  const location = await link.location(signal)
  const found = await link.find(`cannot look at the job ${id}`, signal, (client) =>
    client.job(id, { location }).getMetadata(),
  )
  // The client has no type for the answer, which is the job resource.
  return found && loadJob(id, found as JobMetadata)
}

/** The job once it has ended, asked for at growing intervals; undefined where there is none. */
export async function settledJob(
  link: Link,
  id: string,
  lease: Lease,
  place: ErrorPlace,
): Promise<LoadJob | undefined> {
  const startMs = performance.now()
  for (let pollMs = firstPollMs; ; pollMs = Math.min(longestPollMs, pollMs * 1.6)) {
    lease.assertHeld()
    const job = await findJob(link, id, lease.signal)
    if (job?.state !== 'running') return job
    if (performance.now() - startMs > waitLimitMs) throw stillRunning(id, place)
    await pause(pollMs, lease.signal)
  }
}

function loadJob(id: string, { status, statistics, configuration }: JobMetadata): LoadJob {
  const { errorResult, errors = [], state } = status ?? {}
  const { outputRows, inputFileBytes } = statistics?.load ?? {}
  return {
    id,
    state: state !== 'DONE' ? 'running' : errorResult ? 'failed' : 'done',
    rows: Number(outputRows ?? 0),
    bytes: Number(inputFileBytes ?? 0),
    labels: configuration?.labels ?? {},
    errors: errorResult ? [errorResult, ...errors] : [],
  }
}

function stillRunning(id: string, place: ErrorPlace): ArchiverError {
  return new ArchiverError(`the load job ${id} has not ended within ${waitLimitMs / 60_000} minutes`, {
    archiver: 'bigquery',
    code: 'BQ_JOB_RUNNING',
    hint: `The next pass waits for it again. To end it: bq cancel ${id}; it is then made anew.`,
    ...place,
  })
}
