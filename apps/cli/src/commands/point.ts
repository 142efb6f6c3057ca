import { DAY_SECONDS, type Point, parsePoint as parse, pointForms, rangeProblem } from '@archiver/core'
import { UsageError } from '../exit-codes.js'

export type { Point }

/** A clock that is wrong by less than this makes no time one of the future. */
const CLOCK_SLACK_SECONDS = DAY_SECONDS

/** The two ends of a range; undefined where none is given. */
export interface Points {
  readonly from: Point | undefined
  readonly to: Point | undefined
}

/** Reads `--from` and `--to`. @throws UsageError for what is no point, and for a range that cannot hold a row. */
export function parsePoints(from: string | undefined, to: string | undefined, nowMs = Date.now()): Points {
  const points = {
    from: from === undefined ? undefined : parsePoint(from, 'from'),
    to: to === undefined ? undefined : parsePoint(to, 'to'),
  }
  const problem = rangeProblem(points.from, points.to) ?? futureProblem(points.from, nowMs)
  if (problem !== undefined) throw new UsageError(`--from and --to: no row can be in this range: ${problem}`)
  return points
}

function futureProblem(from: Point | undefined, nowMs: number): string | undefined {
  if (from === undefined || !('tsSeconds' in from)) return undefined
  if (from.tsSeconds <= nowMs / 1000 + CLOCK_SLACK_SECONDS) return undefined
  return `it begins in the future, at ${new Date(from.tsSeconds * 1000).toISOString().replace('.000Z', 'Z')}`
}

/**
 * Reads `--from` and `--to`: an id, a date, a time or epoch seconds, as `parsePoint` of @archiver/core does.
 *
 * @throws UsageError for anything else.
 */
export function parsePoint(text: string, end: 'from' | 'to'): Point {
  const point = parse(text, end)
  if (point !== undefined) return point
  throw new UsageError(`--${end}: ${JSON.stringify(text)} is not ${pointForms}`)
}
