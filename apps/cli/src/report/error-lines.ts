import { ArchiverError, errorText, harmlessLines, harmlessText } from '@archiver/core'
import { ConfigError } from '../config/problem.js'

/** One line for the operator: what failed and why, and what to do. Without the name of `archiver` if that stands before. */
export function errorLine(error: unknown, archiver?: string): string {
  if (error instanceof ConfigError) return harmlessLines(`${error.message}. ${error.hint}`)
  if (!(error instanceof ArchiverError)) return errorText(error)
  const { afterId, upToId } = error.place
  const name = error.place.archiver
  const who = name === undefined || name === archiver || error.message.includes(name) ? '' : `${name}: `
  const range = afterId === undefined || upToId === undefined ? '' : ` (ids ${afterId + 1n} to ${upToId})`
  return harmlessText(`${who}${error.message}${range}${error.hint === undefined ? '' : `. ${error.hint}`}`)
}

/** The same for machines, with what lies behind it. */
export function errorFields(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof ArchiverError)) return { message: errorText(error), stack: (error as Error).stack }
  const { code, message, hint, retryable, place, cause } = error
  const id = (value: bigint | undefined): string | undefined => value?.toString()
  return {
    code,
    message,
    hint,
    retryable,
    ...place,
    afterId: id(place.afterId),
    upToId: id(place.upToId),
    ...(cause === undefined ? {} : { cause: errorText(cause) }),
  }
}
