import { type CleanupLimit, type CleanupMarks, type IdRange, type LastRun, lowerId, type Slice } from '@archiver/core'
import { waitMs } from '@archiver/core/engine'
import type { Blocked } from './blocked.js'
import type { CleanupPolicy } from './options.js'

/** How far apart the clocks of host and server may be. */
const MOST_APART_MS = 5 * 60_000

/** The ids of which every archiver has said that it does not need them any more, or why there are none. */
export function decideLimit(
  { marks, unfinished, hold, serverMs }: CleanupMarks,
  hostMs: number,
): CleanupLimit | Blocked {
  if (hold !== null) return { reason: 'held', why: hold }
  const apartMs = hostMs - serverMs
  // Written so that a clock that cannot be read counts as apart.
  if (!(Math.abs(apartMs) <= MOST_APART_MS)) return { reason: 'clock', apartMs }
  if (marks.length === 0) return { reason: 'no-archiver' }
  const without = marks.filter(({ mark }) => mark === null)
  if (without.length > 0) return { reason: 'no-mark', archivers: without.map(({ archiver }) => archiver) }
  return [
    // The row that a mark points to is kept.
    ...marks.map(({ archiver, mark }) => ({ archiver, belowId: mark ?? 0n })),
    ...unfinished.map(({ archiver, afterId }) => ({ archiver, belowId: afterId + 1n })),
  ].reduce((lowest, limit) => (limit.belowId < lowest.belowId ? limit : lowest))
}

/** How long until the next run is due; 0 for now. */
export function dueInMs(last: LastRun, { intervalMs, reducedIntervalMs }: CleanupPolicy): number {
  return waitMs(last.ageMs, last.full ? Math.min(intervalMs, reducedIntervalMs) : intervalMs)
}

/** Slices that follow one another, the first and the last with a row to delete. */
export interface Span extends IdRange {
  readonly slices: readonly Slice[]
  /** Rows after the last slice that are too young. */
  readonly rowsBehind: number
}

/** What of these slices is worth a question to the archives; null where no row is old enough. */
export function spanOf(slices: readonly Slice[]): Span | null {
  const first = slices.findIndex(({ oldRows }) => oldRows > 0)
  const last = slices.findLastIndex(({ oldRows }) => oldRows > 0)
  const [from, to] = [slices[first], slices[last]]
  if (from === undefined || to === undefined) return null
  const rowsBehind = otherRowsOf(slices.slice(last + 1))
  return { afterId: from.afterId, upToId: to.upToId, slices: slices.slice(first, last + 1), rowsBehind }
}

/** Rows that are neither old enough nor kept for another table. */
export function otherRowsOf(slices: readonly Slice[]): number {
  return slices.reduce((total, { digest, oldRows, keptRows }) => total + Number(digest.rows) - oldRows - keptRows, 0)
}

/** What is left of a range without these others, ascending. */
export function subtractRanges(range: IdRange, others: readonly IdRange[]): IdRange[] {
  const left: IdRange[] = []
  let { afterId } = range
  for (const other of [...others].sort((a, b) => (a.afterId < b.afterId ? -1 : 1))) {
    if (other.upToId <= afterId) continue
    if (other.afterId >= range.upToId) break
    if (other.afterId > afterId) left.push({ afterId, upToId: other.afterId })
    afterId = other.upToId
  }
  if (afterId < range.upToId) left.push({ afterId, upToId: range.upToId })
  return left
}

const FIRST_WINDOW_IDS = 20_000n
const MOST_WINDOW_IDS = 200_000n

/**
 * How many ids are looked at, and asked about, at once. More and more while all of their rows are old, so that a large
 * backlog costs few questions, and what a short run looks at beyond the last old row stays small.
 */
export class Window {
  private ids = FIRST_WINDOW_IDS

  /** The window that begins with `firstId`; it holds at most `mostRows` rows, and ids below `belowId` only. */
  at(firstId: bigint, belowId: bigint, mostRows: number): IdRange {
    const width = lowerId(this.ids, BigInt(mostRows))
    return { afterId: firstId - 1n, upToId: lowerId(firstId + width, belowId) - 1n }
  }

  /** Widens, where nothing but old rows was found. */
  found(slices: readonly Slice[]): void {
    if (otherRowsOf(slices) === 0 && this.ids < MOST_WINDOW_IDS) this.ids *= 10n
  }
}
