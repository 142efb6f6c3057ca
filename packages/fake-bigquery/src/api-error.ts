import type { ErrorName, ErrorProto } from './contract.js'

/** What a handler answers: JSON, or text as it is. */
export interface Answer {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** An error that BigQuery answers, with the body of every Google API. */
export class ApiError extends Error {
  readonly status: number
  readonly reason: string
  /** Of the error in the request or the quota; most have none. */
  readonly location: string | undefined

  constructor(status: number, { reason, message, location }: ErrorProto) {
    super(message)
    this.status = status
    this.reason = reason
    this.location = location
  }

  answer(): Answer {
    const { status, message } = this
    const errors = [{ ...this.proto(), domain: 'global' }]
    const error = { code: status, message, errors, status: statusNames[status] }
    return { status, body: { error } }
  }

  proto(): ErrorProto {
    const { reason, message, location } = this
    return { reason, message, ...(location === undefined ? {} : { location }) }
  }
}

const statusNames: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'ALREADY_EXISTS',
  500: 'INTERNAL',
  501: 'UNIMPLEMENTED',
  503: 'UNAVAILABLE',
}

export function invalid(message: string): ApiError {
  return new ApiError(400, { reason: 'invalid', message })
}

export function notFound(what: string): ApiError {
  return new ApiError(404, { reason: 'notFound', message: `Not found: ${what}` })
}

export function alreadyExists(what: string): ApiError {
  return new ApiError(409, { reason: 'duplicate', message: `Already Exists: ${what}` })
}

/** For what BigQuery can do and this fake cannot. */
export function unsupported(what: string): ApiError {
  return new ApiError(501, { reason: 'notImplemented', message: `The fake of BigQuery does not know ${what}` })
}

const seeQuotas = 'For more information, see https://cloud.google.com/bigquery/docs/troubleshoot-quotas'

export const loadQuotaExceeded: ErrorProto = {
  reason: 'quotaExceeded',
  location: 'load_job_per_table.long',
  message: `Quota exceeded: Your table exceeded quota for imports or query appends per table. ${seeQuotas}`,
}

/** The answers that a script of faults may ask for. Wording and reasons: BigQuery's "Error messages" page. */
export function errorAnswer(name: ErrorName, projectId: string): Answer {
  if (name === 'badGateway') return { status: 502, body: badGatewayPage, headers: { 'content-type': 'text/html' } }
  if (name === 'jobNotFound') return notFound(`Job ${projectId}`).answer()
  const [status, message] = wording[name](projectId)
  return new ApiError(status, { reason: name, message }).answer()
}

type Worded = Exclude<ErrorName, 'badGateway' | 'jobNotFound'>
const wording: Readonly<Record<Worded, (projectId: string) => readonly [number, string]>> = {
  backendError: () => [503, 'Error encountered during execution. Retrying may solve the problem.'],
  internalError: () => [500, 'An internal error occurred and the request could not be completed.'],
  rateLimitExceeded: () => [403, `Exceeded rate limits: too many table update operations for this table. ${seeQuotas}`],
  quotaExceeded: () => [403, loadQuotaExceeded.message],
  accessDenied: (project) => [
    403,
    `Access Denied: Project ${project}: User does not have bigquery.jobs.create permission in project ${project}.`,
  ],
  authError: () => [401, 'Request had invalid authentication credentials. Expected OAuth 2 access token.'],
  notFound: (project) => [404, `Not found: Project ${project}`],
}

const badGatewayPage = '<!DOCTYPE html>\n<html lang=en><title>Error 502 (Server Error)!!1</title>\n'
