import { UsageError } from '../exit-codes.js'
import { parseId } from './common.js'

/** One end of a range: an id, or a time in seconds since 1970. */
export type Point = { readonly id: bigint } | { readonly tsSeconds: number }

/**
 * Reads `--from` and `--to`: an id, a date (`2026-11-01`: from its first second, to its last) or a time in UTC
 * (`2026-11-01T06:30`, `2026-11-01T06:30:15Z`).
 *
 * @throws UsageError for anything else.
 */
export function parsePoint(text: string, end: 'from' | 'to'): Point {
  if (/^\d+$/.test(text)) return { id: parseId(text) }
  const [, date, time] = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)Z?)?$/.exec(text) ?? []
  const ms = Date.parse(`${date}T${time ?? (end === 'from' ? '00:00:00' : '23:59:59')}Z`)
  // Date.parse takes the 31st of any month for a day of the next one.
  if (Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(date ?? '?')) {
    throw new UsageError(
      `--${end}: ${JSON.stringify(text)} is neither an id nor a date such as 2026-11-01 or 2026-11-01T06:30`,
    )
  }
  return { tsSeconds: ms / 1000 }
}
