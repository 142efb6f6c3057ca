/** One end of a range: an id, or a time in seconds since 1970. */
export type Point = { readonly id: bigint } | { readonly tsSeconds: number }

/** What {@link parsePoint} reads, for messages. */
export const pointForms = 'an id, a date such as 2026-11-01 or 2026-11-01T06:30, or epoch seconds such as @1792454400'

/**
 * Reads one end of a range: an id from 1 to 2^64-1, a date (`2026-11-01`: from its first second, to its last) or a time in
 * UTC (`2026-11-01T06:30`, `2026-11-01T06:30:15Z`, `@1792454400` in seconds since 1970). Undefined for anything else.
 */
export function parsePoint(text: string, end: 'from' | 'to'): Point | undefined {
  if (/^\d+$/.test(text)) return pointOfId(text)
  if (/^@\d{1,10}$/.test(text)) return pointOfSeconds(Number(text.slice(1)))
  const [, date, time] = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)Z?)?$/.exec(text) ?? []
  const ms = Date.parse(`${date}T${time ?? (end === 'from' ? '00:00:00' : '23:59:59')}Z`)
  // Date.parse takes the 31st of any month for a day of the next one.
  const isDate = !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date ?? '?')
  return isDate ? { tsSeconds: ms / 1000 } : undefined
}

/** Rows have times up to 2^32-1. */
function pointOfSeconds(tsSeconds: number): Point | undefined {
  return tsSeconds < 2 ** 32 ? { tsSeconds } : undefined
}

/** Why no row can lie between two ends, for people; undefined where one may. */
export function rangeProblem(from: Point | undefined, to: Point | undefined): string | undefined {
  if (from === undefined || to === undefined) return undefined
  if ('id' in from && 'id' in to && from.id > to.id) return `it begins at id ${from.id}, above its end, id ${to.id}`
  if (!('tsSeconds' in from && 'tsSeconds' in to) || from.tsSeconds <= to.tsSeconds) return undefined
  return `it begins at ${timeText(from.tsSeconds)}, after its end, ${timeText(to.tsSeconds)}`
}

function timeText(tsSeconds: number): string {
  return new Date(tsSeconds * 1000).toISOString().replace('.000Z', 'Z')
}

function pointOfId(text: string): Point | undefined {
  const id = text.length <= 20 ? BigInt(text) : 0n
  return id >= 1n && id < 2n ** 64n ? { id } : undefined
}
