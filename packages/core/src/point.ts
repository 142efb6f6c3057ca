/** One end of a range: an id, or a time in seconds since 1970. */
export type Point = { readonly id: bigint } | { readonly tsSeconds: number }

/** What {@link parsePoint} reads, for messages. */
export const pointForms = 'an id or a date such as 2026-11-01 or 2026-11-01T06:30'

/**
 * Reads one end of a range: an id from 1 to 2^64-1, a date (`2026-11-01`: from its first second, to its last) or a time in
 * UTC (`2026-11-01T06:30`, `2026-11-01T06:30:15Z`). Undefined for anything else.
 */
export function parsePoint(text: string, end: 'from' | 'to'): Point | undefined {
  if (/^\d+$/.test(text)) return pointOfId(text)
  const [, date, time] = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)Z?)?$/.exec(text) ?? []
  const ms = Date.parse(`${date}T${time ?? (end === 'from' ? '00:00:00' : '23:59:59')}Z`)
  // Date.parse takes the 31st of any month for a day of the next one.
  const isDate = !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date ?? '?')
  return isDate ? { tsSeconds: ms / 1000 } : undefined
}

function pointOfId(text: string): Point | undefined {
  const id = text.length <= 20 ? BigInt(text) : 0n
  return id >= 1n && id < 2n ** 64n ? { id } : undefined
}
