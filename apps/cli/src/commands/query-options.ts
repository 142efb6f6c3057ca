import { parseDuration, type ScanQuery } from '@archiver/core'
import type { Argv } from 'yargs'
import { UsageError } from '../exit-codes.js'
import { parsePoints } from './point.js'

/** Which rows of an archive are wanted, as it is said on the command line. */
export interface QueryArguments {
  readonly server: string | undefined
  readonly monitor: string | undefined
  readonly from: string | undefined
  readonly to: string | undefined
  readonly limit: string | undefined
  readonly slack: string | undefined
}

export function withQueryOptions<T>(yargs: Argv<T>) {
  return yargs
    .option('server', { type: 'string', requiresArg: true, describe: 'Only this server_id' })
    .option('monitor', { type: 'string', requiresArg: true, describe: 'Only this monitor_id; 0: no monitor' })
    .option('from', {
      type: 'string',
      requiresArg: true,
      describe: 'First id, a date or time of measurement (UTC), or @epoch seconds',
    })
    .option('to', {
      type: 'string',
      requiresArg: true,
      describe: 'Last id, a date or time (UTC), or @epoch seconds; inclusive',
    })
    .option('limit', { type: 'string', requiresArg: true, describe: 'Most rows' })
    .option('slack', {
      type: 'string',
      requiresArg: true,
      describe:
        'How much later or earlier than its neighbours by id a row may be measured; decides which files are opened [24h]',
    })
}

/** @throws UsageError naming the option. */
export function queryOf({ server, monitor, from, to, limit, slack }: QueryArguments): ScanQuery {
  const { from: first, to: last } = parsePoints(from, to)
  return {
    afterId: first !== undefined && 'id' in first ? first.id - 1n : 0n,
    upToId: last !== undefined && 'id' in last ? last.id : 2n ** 64n - 1n,
    fromSeconds: first !== undefined && 'tsSeconds' in first ? first.tsSeconds : undefined,
    toSeconds: last !== undefined && 'tsSeconds' in last ? last.tsSeconds : undefined,
    serverId: wholeNumber('server', server, 0, 2 ** 32 - 1),
    monitorId: wholeNumber('monitor', monitor, 0, 2 ** 32 - 1),
    limit: wholeNumber('limit', limit, 1, Number.MAX_SAFE_INTEGER),
    slackSeconds: slack === undefined ? undefined : durationOf(slack) / 1000,
  }
}

function wholeNumber(option: string, text: string | undefined, least: number, most: number): number | undefined {
  if (text === undefined) return undefined
  const value = /^\d{1,16}$/.test(text) ? Number(text) : -1
  if (value >= least && value <= most) return value
  throw new UsageError(`--${option}: ${JSON.stringify(text)} is no whole number from ${least} to ${most}`)
}

function durationOf(text: string): number {
  try {
    const ms = parseDuration(text)
    if (ms >= 0) return ms
  } catch {
    // Said below.
  }
  throw new UsageError(`--slack: ${JSON.stringify(text)} is no duration such as 24h or 90m`)
}
