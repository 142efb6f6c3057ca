import { ArchiverError, type ErrorPlace, harmlessLine } from '@archiver/core'
import { type GoogleFailure, googleFailure, isGoogleLogin, isGoogleUnreachable } from '@archiver/google'

interface Kind {
  readonly code: string
  readonly hint: string
  readonly retryable?: boolean
}

const busy: Kind = {
  code: 'BQ_BUSY',
  hint: 'Google is short of something at the moment; it is tried again.',
  retryable: true,
}
const login: Kind = {
  code: 'BQ_LOGIN',
  hint: 'Give GOOGLE_APPLICATION_CREDENTIALS the path of a key that is in force, or the workload an identity.',
}
const denied: Kind = {
  code: 'BQ_DENIED',
  hint: 'Grant its account roles/bigquery.jobUser on bq_project and roles/bigquery.dataEditor on bq_dataset.',
}
const quota: Kind = {
  code: 'BQ_QUOTA',
  hint: 'A quota of bq_project is used up. It refills within 24 hours; fewer, larger batches (batch_bq_interval) need less of it.',
}
const disabled: Kind = {
  code: 'BQ_API_OFF',
  hint: 'Enable the BigQuery API, and billing, for bq_project.',
}
const refused: Kind = { code: 'BQ_REFUSED', hint: 'BigQuery says why; docs/archives/bigquery.md has what it needs.' }
const unreachable: Kind = {
  code: 'BQ_UNREACHABLE',
  hint: 'Can this machine reach BigQuery (and, with bq_endpoint, is that right)? It is tried again.',
  retryable: true,
}
const noDataset: Kind = {
  code: 'BQ_DATASET',
  hint: 'Create the data set (bq mk --location=…), or correct bq_dataset and bq_project: the location is yours to choose.',
}
const noTable: Kind = {
  code: 'BQ_TABLE_MISSING',
  hint: 'The next try creates the table, unless rows were stored in it: then it says ARCHIVE_MISSING.',
  retryable: true,
}
const notFound: Kind = { code: 'BQ_NOT_FOUND', hint: 'Correct bq_project, or what the message names.' }

const jobFailed: Kind = {
  code: 'BQ_JOB_FAILED',
  hint: 'Nothing of the batch was stored. Correct what the message names; the next pass makes a new job.',
}

/** BigQuery's reasons, of answers and of failed jobs. */
const kinds: Readonly<Record<string, Kind>> = {
  accessDenied: denied,
  forbidden: denied,
  insufficientPermissions: denied,
  authError: login,
  quotaExceeded: quota,
  accessNotConfigured: disabled,
  SERVICE_DISABLED: disabled,
  billingNotEnabled: disabled,
  rateLimitExceeded: busy,
  jobRateLimitExceeded: busy,
  backendError: busy,
  internalError: busy,
  jobBackendError: busy,
  jobInternalError: busy,
  tableUnavailable: busy,
}

/** An error of BigQuery's in a job's status. */
export interface ErrorProto {
  readonly reason?: string
  readonly message?: string
  readonly location?: string
}

/** The ArchiverError for anything thrown while `doing` something. */
export function bigQueryError(thrown: unknown, doing: string, place: ErrorPlace = {}): ArchiverError {
  if (thrown instanceof ArchiverError) return thrown.locate(place)
  const failure = googleFailure(thrown)
  return new ArchiverError(`${doing}: ${failure.why}`, { archiver: 'bigquery', ...place, ...kindOf(failure) })
}

/** The ArchiverError for a job that has failed. Nothing of it is in the table. */
export function jobError(jobId: string, errors: readonly ErrorProto[], place: ErrorPlace): ArchiverError {
  const { reason } = errors[0] ?? {}
  // The first error often says only that there are others.
  const said = new Set(errors.map((error) => error.message ?? error.reason))
  const why = harmlessLine([...said].join(' | ')) || 'no reason given'
  return new ArchiverError(`the load job ${jobId} failed: ${why}`, {
    archiver: 'bigquery',
    ...place,
    ...(kinds[reason ?? ''] ?? jobFailed),
  })
}

function kindOf(failure: GoogleFailure): Kind {
  const { status, reason, why } = failure
  if (Object.hasOwn(kinds, reason)) return kinds[reason]!
  if (isGoogleLogin(failure)) return login
  if (isGoogleUnreachable(failure)) return unreachable
  if (/Not found: Dataset/i.test(why)) return noDataset
  if (/Not found: Table/i.test(why)) return noTable
  if (status === undefined) return refused
  if (status === 403) return denied
  if (status === 404) return notFound
  return status >= 500 || status === 408 || status === 429 ? busy : refused
}
