import { DAY_SECONDS, type RowRange, type ScanQuery } from '@archiver/core'
import type { Days } from './part-spans.js'

/** The rows that a query wants, as the condition of a statement; on these days only, where they are known. */
export function condition(query: ScanQuery, days?: readonly Days[]): string {
  const { afterId, upToId, serverId, monitorId, fromSeconds, toSeconds } = query
  const conditions = [
    days === undefined ? onDaysOf(query) : `(${days.map(between).join(' OR ')})`,
    serverId === undefined ? undefined : `server_id = ${serverId}`,
    monitorId === undefined ? undefined : `monitor_id = ${monitorId}`,
    fromSeconds === undefined ? undefined : `ts >= toDateTime(${fromSeconds})`,
    toSeconds === undefined ? undefined : `ts <= toDateTime(${toSeconds})`,
    `id > ${afterId} AND id <= ${upToId}`,
  ]
  return conditions.filter((text) => text !== undefined).join(' AND ')
}

/** The days of rows whose times are known, and one more on either side; undefined where they are not. */
export function daysOfTimes({ times = [] }: RowRange): Days[] | undefined {
  if (times.length === 0) return undefined
  return times.map((span) => daysOf({ afterId: 0n, upToId: 0n, ...span }))
}

/** What of the days a query wants. */
export function daysWithin(days: readonly Days[], query: ScanQuery): Days[] {
  const [from, to] = daysOf(query)
  return days
    .map(([first, last]) => [Math.max(first, from), Math.min(last, to)] as const)
    .filter(([first, last]) => first <= last)
}

/** So that ClickHouse need not look at the parts of other days. */
function onDaysOf(query: ScanQuery): string | undefined {
  if (query.fromSeconds === undefined && query.toSeconds === undefined) return undefined
  return between(daysOf(query))
}

/** With a day to spare at both ends: another program may have taken a row's day in its own time zone. */
function daysOf({ fromSeconds = 0, toSeconds = 2 ** 32 - 1 }: ScanQuery): Days {
  const lastDay = 2 ** 16 - 1
  const dayOf = (seconds: number) => Math.floor(seconds / DAY_SECONDS)
  return [Math.max(0, dayOf(fromSeconds) - 1), Math.min(lastDay, dayOf(toSeconds) + 1)]
}

function between([first, last]: Days): string {
  return `dt BETWEEN toDate(${first}) AND toDate(${last})`
}
