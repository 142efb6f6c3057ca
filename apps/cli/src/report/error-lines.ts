import { ArchiverError, errorText } from '@archiver/core'

/** One line for the operator: what failed and why, and what to do. */
export function errorLine(error: unknown): string {
  if (!(error instanceof ArchiverError)) return errorText(error)
  const { archiver, afterId, upToId } = error.place
  const who = archiver === undefined || error.message.includes(archiver) ? '' : `${archiver}: `
  const range = afterId === undefined || upToId === undefined ? '' : ` (ids ${afterId + 1n} to ${upToId})`
  return `${who}${error.message}${range}${error.hint === undefined ? '' : `. ${error.hint}`}`
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
