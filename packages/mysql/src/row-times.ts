import { DAY_SECONDS, joinSpans, type TimeSpan } from '@archiver/core'

const LAST_SECOND = 2 ** 32 - 1
/** 1970-01-01, as `to_days` counts. */
const FIRST_DAY = 719_528

/** Rows next to each other are of a day or two. Where they are not, each day counts. */
const WIDE_SECONDS = 7 * DAY_SECONDS

/** Two columns of a statement: the first and the last time of its rows, for {@link rowTimes}. A zero date has none. */
export const FIRST_AND_LAST_TIME = 'to_seconds(min(ts)) - 62167219200, to_seconds(max(ts)) - 62167219200'

/** A column of a statement: the day of a row, for {@link rowTimes}. */
export const DAY = 'to_days(ts)'

/**
 * When rows were measured; ascending. The values are the driver's: numbers, or texts of numbers, or null.
 *
 * @param ends - the columns {@link FIRST_AND_LAST_TIME}.
 * @param days - returns the distinct {@link DAY}s of the rows; called where first and last are more than a week apart.
 */
export async function rowTimes(
  [first, last]: readonly unknown[],
  days: () => Promise<readonly unknown[]>,
): Promise<TimeSpan[]> {
  if (last == null) return []
  // Where the first is a zero date there may be others.
  if (first != null && Number(last) - Number(first) <= WIDE_SECONDS) return [span(Number(first), Number(last))]
  const found = (await days()).filter((day) => day != null)
  return joinSpans(
    found.map((day) => {
      const start = (Number(day) - FIRST_DAY) * DAY_SECONDS
      return span(start, start + DAY_SECONDS - 1)
    }),
  )
}

/** From the first to the last of {@link FIRST_AND_LAST_TIME}; null where one of them is not known. */
export function wholeSpan([first, last]: readonly unknown[]): TimeSpan | null {
  return first == null || last == null ? null : span(Number(first), Number(last))
}

/** No archive holds a time before 1970, or after 2106. */
function span(first: number, last: number): TimeSpan {
  const within = (seconds: number) => Math.max(0, Math.min(LAST_SECOND, seconds))
  return { fromSeconds: within(first), toSeconds: within(last) }
}
