import { ArchiverError, type ErrorPlace, errorText } from '@archiver/core'

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

/** What Cloud Storage, the network or the library for credentials had to say. */
export interface Failure {
  /** Of the HTTP answer; undefined where there was none. */
  readonly status: number | undefined
  /** Google's word for it (`retentionPolicyNotMet`), or the system's (`ECONNRESET`). */
  readonly reason: string
  readonly why: string
}

/** Reads an error of the storage library, of the HTTP client below it, or of the library for credentials. */
export function failureOf(thrown: unknown): Failure {
  const error = fieldsOf(thrown)
  const response = fieldsOf(error.response)
  const body = fieldsOf(fieldsOf(response.data).error)
  const status = [error.status, error.code, response.status, body.code].map(Number).find((number) => number >= 100)
  const [first] = [error.errors, body.errors].flatMap((errors) => (Array.isArray(errors) ? errors : []))
  const { reason = error.code, message = body.message } = fieldsOf(first)
  // Of an answer without a body the HTTP client says nothing, or a number.
  const said = typeof message === 'string' ? message : String(errorText(thrown))
  return { status, reason: String(reason ?? ''), why: harmless(said) }
}

/** The ArchiverError for anything thrown while `doing` something with the archive. */
export function storageError(thrown: unknown, doing: string, place: ErrorPlace = {}): ArchiverError {
  if (thrown instanceof ArchiverError) return thrown.locate(place)
  const failure = failureOf(thrown)
  const suffix = failure.status === undefined ? '' : ` (status ${failure.status})`
  // Without the cause: requests, with what authorises them, hang on the libraries' errors.
  return new ArchiverError(`${doing}: ${failure.why}${suffix}`, { archiver: 'gcsavro', ...kindOf(failure), ...place })
}

/** What passed the wire is not what is there. Such an object is replaced at the next try. */
export function checksumError(what: string): ArchiverError {
  return new ArchiverError(what, { archiver: 'gcsavro', ...checksum })
}

function kindOf({ status, reason, why }: Failure): Kind {
  if (isLogin(status, why)) return login
  switch (status) {
    case undefined:
      return network.test(reason) || /premature close|socket hang up|timeout|aborted|no byte/i.test(why)
        ? unreachable
        : refused
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

const network =
  /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENETDOWN|EAI_AGAIN|ENOTFOUND|ERR_STREAM_PREMATURE_CLOSE|UND_ERR)/

function isLogin(status: number | undefined, why: string): boolean {
  const words =
    /invalid_grant|invalid_client|unauthorized_client|default credentials|private key|PEM|DECODER|credential/i
  return status === 401 || ((status === undefined || status === 400) && words.test(why))
}

function forbidden(reason: string, why: string): Kind {
  if (/rateLimit/i.test(reason)) return busy
  if (/retention|\bhold\b/i.test(`${reason} ${why}`)) return retention
  return /userProject|user project|serviceusage|billing/i.test(`${reason} ${why}`) ? billing : denied
}

/** One short line. The address of an upload session is as good as a key: whoever has it can write the object. */
function harmless(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  const masked = line
    .replaceAll(/upload_id=[^&\s"']+/g, 'upload_id=…')
    .replaceAll(/-----BEGIN.*?(-----END [A-Z ]*-----|$)/g, '…')
    .replaceAll(/(Bearer |ya29\.)[\w.~+/-]+/g, '$1…')
  return masked.length > 300 ? `${masked.slice(0, 300)}…` : masked
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  // Any object has fields; what is in them is looked at before use.
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}
