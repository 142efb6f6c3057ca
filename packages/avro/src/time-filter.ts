import { DAY_SECONDS, type ScanQuery } from '@archiver/core'

/** When the first rows of a file and of the one behind it were measured; undefined where that is not known. */
interface FileTimes {
  readonly firstSeconds?: number | undefined
  readonly endSeconds: number | undefined
}

/**
 * Tells which files may hold rows of the query's time. Rows come in the order of ids, and nearly in that of their times:
 * what a file holds was measured between its first row and the first row of the next file, give or take the slack.
 */
export function timeFilter(query: Pick<ScanQuery, 'fromSeconds' | 'toSeconds' | 'slackSeconds'>) {
  const { fromSeconds = 0, toSeconds = Number.POSITIVE_INFINITY, slackSeconds = DAY_SECONDS } = query
  return ({ firstSeconds = 0, endSeconds = Number.POSITIVE_INFINITY }: FileTimes): boolean =>
    firstSeconds - slackSeconds <= toSeconds && endSeconds + slackSeconds >= fromSeconds
}
