import { errorText, harmlessLine } from '@archiver/core'

/** What a service of Google's, the network, or the library for credentials had to say. */
export interface GoogleFailure {
  /** Of the HTTP answer; undefined where there was none. */
  readonly status: number | undefined
  /** Google's word for it (`quotaExceeded`), or the system's (`ECONNRESET`); empty where neither gives one. */
  readonly reason: string
  /** One short line, without anything that opens a door. */
  readonly why: string
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
  // Of an answer without a body the HTTP client says nothing, or a number.
  const said = typeof message === 'string' ? message : withoutObjects(errorText(thrown))
  return {
    status,
    reason: String(reason ?? ''),
    why: harmlessLine(said) || wordless(status, error.statusMessage ?? response.statusText),
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

/** Whether the credentials are refused, or cannot be had. */
export function isGoogleLogin({ status, why }: GoogleFailure): boolean {
  if (status !== undefined && status !== 400) return status === 401
  return /invalid_grant|invalid_client|unauthorized_client|private key|PEM|DECODER|credential/i.test(why)
}

/** Whether no answer came because of the network, and not of a defect here. */
export function isGoogleUnreachable({ status, reason, why }: GoogleFailure): boolean {
  if (status !== undefined) return false
  return network.test(reason) || /premature close|socket hang up|timeout|aborted|no answer|no byte/i.test(why)
}

const network =
  /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENETDOWN|EAI_AGAIN|ENOTFOUND|ERR_STREAM_PREMATURE_CLOSE|UND_ERR)/

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  // Any object has fields; what is in them is looked at before use.
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}
