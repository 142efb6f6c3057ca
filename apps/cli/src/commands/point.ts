import { type Point, parsePoint as parse, pointForms } from '@archiver/core'
import { UsageError } from '../exit-codes.js'

export type { Point }

/**
 * Reads `--from` and `--to`: an id, a date or a time, as `parsePoint` of @archiver/core does.
 *
 * @throws UsageError for anything else.
 */
export function parsePoint(text: string, end: 'from' | 'to'): Point {
  const point = parse(text, end)
  if (point !== undefined) return point
  throw new UsageError(`--${end}: ${JSON.stringify(text)} is neither ${pointForms.replace(' or', ' nor')}`)
}
