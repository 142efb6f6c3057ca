import type { TimeSpan } from '../contract/archive-reader.js'
import { DAY_SECONDS } from './time.js'

/** Readers look a day further on either side: what is left out between two spans is at least a day. */
const MIN_GAP_SECONDS = 3 * DAY_SECONDS
/** A condition of a statement with more alternatives than this costs more than the days that it leaves out. */
const MAX_SPANS = 50

/**
 * The same times in ascending order, as few spans that lie more than three days apart. Rows whose time is far from that of the
 * others have a span of their own: the time between is left out.
 */
export function joinSpans(spans: readonly TimeSpan[]): TimeSpan[] {
  const sorted = spans.toSorted((a, b) => a.fromSeconds - b.fromSeconds)
  const joined: TimeSpan[] = []
  for (const span of sorted) {
    const last = joined.at(-1)
    if (last === undefined || gapOf(last, span) > MIN_GAP_SECONDS) joined.push(span)
    else joined[joined.length - 1] = both(last, span)
  }
  while (joined.length > MAX_SPANS) joinClosest(joined)
  return joined
}

function joinClosest(spans: TimeSpan[]): void {
  let closest = 1
  for (let i = 2; i < spans.length; i++) {
    if (gapOf(spans[i - 1]!, spans[i]!) < gapOf(spans[closest - 1]!, spans[closest]!)) closest = i
  }
  spans.splice(closest - 1, 2, both(spans[closest - 1]!, spans[closest]!))
}

function gapOf(before: TimeSpan, after: TimeSpan): number {
  return after.fromSeconds - before.toSeconds
}

function both(a: TimeSpan, b: TimeSpan): TimeSpan {
  return { fromSeconds: a.fromSeconds, toSeconds: Math.max(a.toSeconds, b.toSeconds) }
}
