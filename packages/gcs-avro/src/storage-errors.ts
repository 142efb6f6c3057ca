import { ArchiverError, type ErrorPlace } from '@archiver/core'
import { type GoogleFailure, googleFailure, isGoogleLogin, isGoogleUnreachable } from '@archiver/google'

interface Kind {
  readonly code: string
  readonly hint: string
  readonly retryable?: boolean
}

const busy: Kind = {
  code: 'GCS_BUSY',
  hint: 'Cloud Storage is short of something; it is tried again.',
  retryable: true,
}
const unreachable: Kind = {
  code: 'GCS_UNREACHABLE',
  hint: 'Can this machine reach Cloud Storage (and, with gc_endpoint, is that right)? It is tried again.',
  retryable: true,
}
const login: Kind = {
  code: 'GCS_LOGIN',
  hint: 'Give GOOGLE_APPLICATION_CREDENTIALS the path of a key that is in force, or the workload an identity.',
}
const denied: Kind = {
  code: 'GCS_DENIED',
  hint: 'Grant its account roles/storage.objectCreator and roles/storage.objectViewer on the bucket.',
}
const billing: Kind = {
  code: 'GCS_BILLING',
  hint: 'gc_project names who pays: it needs billing enabled, and the account serviceusage.services.use on it.',
}
const retention: Kind = {
  code: 'GCS_RETENTION',
  hint: 'A retention policy or a hold keeps the object as it is. Set the mark to the last row it holds, or ask who set the policy.',
}
const noBucket: Kind = { code: 'GCS_BUCKET', hint: 'Create the bucket, or correct gc_bucket.' }
const checksum: Kind = {
  code: 'GCS_CHECKSUM',
  hint: 'Bytes changed on the way; it is tried again. If that recurs, look at this machine’s memory and network.',
  retryable: true,
}
const refused: Kind = {
  code: 'GCS_REFUSED',
  hint: 'Cloud Storage says why; docs/archives/gcsavro.md has what it needs.',
}

/** The ArchiverError for anything thrown while `doing` something with the archive. */
export function storageError(thrown: unknown, doing: string, place: ErrorPlace = {}): ArchiverError {
  if (thrown instanceof ArchiverError) return thrown.locate(place)
  const failure = googleFailure(thrown)
  const suffix = failure.status === undefined ? '' : ` (status ${failure.status})`
  // Without the cause: requests, with what authorises them, hang on the libraries' errors.
  return new ArchiverError(`${doing}: ${failure.why}${suffix}`, { archiver: 'gcsavro', ...kindOf(failure), ...place })
}

/** What passed the wire is not what is there. Such an object is replaced at the next try. */
export function checksumError(what: string): ArchiverError {
  return new ArchiverError(what, { archiver: 'gcsavro', ...checksum })
}

function kindOf(failure: GoogleFailure): Kind {
  const { status, reason, why } = failure
  if (isGoogleLogin(failure)) return login
  if (isGoogleUnreachable(failure)) return unreachable
  switch (status) {
    case undefined:
      return refused
    case 400:
      return /crc32c|md5|checksum/i.test(why) ? checksum : /user ?project|requester pays/i.test(why) ? billing : refused
    case 403:
      return forbidden(reason, why)
    case 404:
      return noBucket
    default:
      return status === 308 || status === 408 || status === 429 || status >= 500 ? busy : refused
  }
}

function forbidden(reason: string, why: string): Kind {
  if (/rateLimit/i.test(reason)) return busy
  if (/retention|\bhold\b/i.test(`${reason} ${why}`)) return retention
  return /userProject|user project|serviceusage|billing/i.test(`${reason} ${why}`) ? billing : denied
}
