import { errorText, harmlessLine } from '@archiver/core'

/** What a service of Google's, the network, or the library for credentials had to say. */
export interface GoogleFailure {
  /** Of the HTTP answer; undefined where there was none. */
  readonly status: number | undefined
  /** Google's word for it (`quotaExceeded`), or the system's (`ECONNRESET`); empty where neither gives one. */
  readonly reason: string
  /** One short line, without anything that opens a door. */
  readonly why: string
  /** Whether the body is an error of Google's form. Only then is a status what Google says, and not a proxy. */
  readonly isGoogles: boolean
}

/**
 * Reads an error of Google's client libraries, of the HTTP clients below them, or of the library for credentials. Errors of
 * ours are made of this, and never have the original as their cause: requests, with what authorises them, hang on it.
 */
export function googleFailure(thrown: unknown): GoogleFailure {
  const error = fieldsOf(thrown)
  const response = fieldsOf(error.response)
  const body = fieldsOf(fieldsOf(response.data).error)
  const status = [error.status, error.code, response.status, body.code].map(Number).find((number) => number >= 100)
  const [first] = [error.errors, body.errors].flatMap((errors) => (Array.isArray(errors) ? errors : []))
  const { reason = error.code, message = body.message } = fieldsOf(first)
  const isGoogles = body.code !== undefined || 'reason' in fieldsOf(first)
  // Of an answer without a body the HTTP client says nothing, or a number.
  const said = typeof message === 'string' ? message : withoutObjects(errorText(thrown))
  return {
    status,
    reason: String(reason ?? ''),
    why: harmlessLine(said) || wordless(status, error.statusMessage ?? response.statusText),
    isGoogles,
  }
}

/** Google's libraries number the errors of an answer, and print one without a message as an object. */
function withoutObjects(text: string): string {
  const left = text.replaceAll(/(?:\s*\b\d+\. )?\[object Object\]/g, '').trim()
  return /^Multiple errors occurred/i.test(left) && !/\b\d+\. /.test(left) ? '' : left
}

function wordless(status: number | undefined, phrase: unknown): string {
  const what = status === undefined ? 'an error' : `HTTP status ${status}${phrase ? ` ${String(phrase)}` : ''}`
  return harmlessLine(`${what} without a message`)
}

/** Whether Google says that what was asked for does not exist. */
export function isGoogleNotFound({ status, isGoogles }: GoogleFailure): boolean {
  return status === 404 && isGoogles
}

/**
 * An answer as Google's APIs give it. A proxy may answer any request with a page of its own.
 *
 * @throws Error where it is no object of Google's: it has neither `kind` nor `expected`.
 */
export function requireGoogleAnswer<T>(answer: T, ...expected: readonly string[]): T {
  const fields = fieldsOf(answer)
  if (['kind', ...expected].some((name) => name in fields)) return answer
  throw Object.assign(new Error('no answer of Google: a proxy or another service answers at this address'), {
    code: 'notGoogle',
  })
}

/**
 * The token of the next page of a list.
 *
 * @throws Error where it is that of the page before: the list would never end.
 */
export function requireNewPage(token: string, before: string | undefined): string {
  if (token !== before) return token
  throw Object.assign(new Error('the list has a next page that is the same page'), { code: 'samePage' })
}

/** Whether the credentials are refused, or cannot be had. */
export function isGoogleLogin({ status, why }: GoogleFailure): boolean {
  if (status !== undefined && status !== 400) return status === 401
  return /invalid_grant|invalid_client|unauthorized_client|private key|PEM|DECODER|credential/i.test(why)
}

/** Whether Google gave no answer, because of the network or of a proxy, and not of a defect here. */
export function isGoogleUnreachable({ status, reason, why, isGoogles }: GoogleFailure): boolean {
  if (status === 404) return !isGoogles
  if (status !== undefined) return false
  return network.test(reason) || /premature close|socket hang up|timeout|aborted|no answer|no byte/i.test(why)
}

const network =
  /^(notGoogle|ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENETDOWN|EAI_AGAIN|ENOTFOUND|ERR_STREAM_PREMATURE_CLOSE|UND_ERR)/

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  // Any object has fields; what is in them is looked at before use.
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}
