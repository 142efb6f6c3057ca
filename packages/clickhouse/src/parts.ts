import { DAY_SECONDS, type LogScoreChunk } from '@archiver/core'
import type { Rows } from './rows.js'

/** What one insert may hold. */
export interface PartLimits {
  /** Distinct days: a server refuses a block of more than 100 partitions for ever. */
  readonly maxDays: number
  readonly maxRows: number
}

/** Rows that belong to insert number `part` of their batch; the first is 1. */
export interface PartRows extends Rows {
  readonly part: number
}

/** Cuts a batch into inserts within the limits, in order. Nearly always there is one. */
export async function* inParts(
  chunks: AsyncIterable<LogScoreChunk>,
  { maxDays, maxRows }: PartLimits,
): AsyncGenerator<PartRows, undefined> {
  const days = new Set<number>()
  let part = 1
  let rows = 0
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.rows; ) {
      const to = endOfDays(chunk, from, Math.min(chunk.rows, from + maxRows - rows), days, maxDays)
      if (to > from) yield { chunk, from, to, part }
      rows += to - from
      from = to
      if (from === chunk.rows) break
      part++
      rows = 0
      days.clear()
    }
  }
}

/** Where the rows from `from` on have used up the days that are left; adds theirs. */
function endOfDays(chunk: LogScoreChunk, from: number, end: number, days: Set<number>, maxDays: number): number {
  let last = -1
  for (let i = from; i < end; i++) {
    const day = (chunk.tsSeconds[i]! / DAY_SECONDS) | 0
    if (day === last) continue
    if (!days.has(day) && days.size === maxDays) return i
    days.add(day)
    last = day
  }
  return end
}
