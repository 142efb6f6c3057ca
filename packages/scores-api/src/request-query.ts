import { type Point, parsePoint, pointForms, rangeProblem, type ScanQuery } from '@archiver/core'
import { badParameter } from './problem.js'

export type PageFormat = 'json' | 'ndjson'

/** What a request asks for. */
export interface PageQuery {
  readonly query: ScanQuery
  /** Most rows of the page. */
  readonly limit: number
  readonly format: PageFormat
}

export interface Limits {
  readonly defaultLimit: number
  readonly maxLimit: number
}

const parameters = [
  ...['server', 'monitor', 'from_id', 'to_id', 'from_time', 'to_time', 'from', 'to'],
  ...['after', 'limit', 'format'],
]
const maxInt = 2 ** 32 - 1
const maxId = 2n ** 64n - 1n

/** @param accept - the header. @throws Problem (400) naming the parameter that cannot be used. */
export function pageQuery(search: URLSearchParams, accept: string | undefined, limits: Limits): PageQuery {
  refuseOthers(search)
  const { afterId, ...times } = rangeOf(search)
  const limit = whole(search, 'limit', 1, limits.maxLimit) ?? limits.defaultLimit
  return {
    query: {
      ...times,
      afterId,
      serverId: whole(search, 'server', 0, maxInt),
      monitorId: whole(search, 'monitor', 0, maxInt),
      limit,
    },
    limit,
    format: formatOf(search, accept),
  }
}

function refuseOthers(search: URLSearchParams): void {
  for (const name of new Set(search.keys())) {
    if (!parameters.includes(name))
      throw badParameter(name, `there is no such parameter; known are ${parameters.join(', ')}`)
    if (search.getAll(name).length > 1) throw badParameter(name, 'it is given more than once')
  }
}

function rangeOf(search: URLSearchParams): Pick<ScanQuery, 'afterId' | 'upToId' | 'fromSeconds' | 'toSeconds'> {
  const [from, to] = [endOf(search, 'from'), endOf(search, 'to')]
  refuseReversed(from.id, to.id)
  refuseReversed(from.time, to.time)
  const first = from.id === undefined ? 0n : from.id.point.id - 1n
  const after = idOf(search, 'after', 0n) ?? 0n
  return {
    afterId: after > first ? after : first,
    upToId: to.id?.point.id ?? maxId,
    fromSeconds: from.time?.point.tsSeconds,
    toSeconds: to.time?.point.tsSeconds,
  }
}

/** A point, and the parameter that names it. */
interface Named<P extends Point> {
  readonly parameter: string
  readonly point: P
}

/** One end of what is asked for: by ids, by times, or both. */
interface End {
  readonly id: Named<{ readonly id: bigint }> | undefined
  readonly time: Named<{ readonly tsSeconds: number }> | undefined
}

/** `from` may be either, and takes a number for an id; `from_id` and `from_time` say which. */
function endOf(search: URLSearchParams, name: 'from' | 'to'): End {
  const [ofId, ofTime] = [`${name}_id`, `${name}_time`]
  const id = idOf(search, ofId, 1n)
  const tsSeconds = timeOf(search, ofTime, name)
  const given = point(search, name)
  if (given === undefined) {
    return {
      id: id === undefined ? undefined : { parameter: ofId, point: { id } },
      time: tsSeconds === undefined ? undefined : { parameter: ofTime, point: { tsSeconds } },
    }
  }
  if (id !== undefined || tsSeconds !== undefined) throw badParameter(name, `give it, or ${ofId} and ${ofTime}`)
  const none = { id: undefined, time: undefined }
  return 'id' in given
    ? { ...none, id: { parameter: name, point: given } }
    : { ...none, time: { parameter: name, point: given } }
}

function refuseReversed(from: Named<Point> | undefined, to: Named<Point> | undefined): void {
  const problem = rangeProblem(from?.point, to?.point)
  if (from !== undefined && problem !== undefined)
    throw badParameter(from.parameter, `no row can be in this range: ${problem}`)
}

function idOf(search: URLSearchParams, name: string, least: bigint): bigint | undefined {
  const text = search.get(name)
  if (text === null) return undefined
  const id = /^\d{1,20}$/.test(text) ? BigInt(text) : -1n
  if (id < least || id > maxId) throw badParameter(name, `${JSON.stringify(text)} is no id: a whole number is expected`)
  return id
}

/** Epoch seconds, as in the URLs of the pool, or a date or time. */
function timeOf(search: URLSearchParams, name: string, end: 'from' | 'to'): number | undefined {
  const text = search.get(name)
  if (text === null) return undefined
  const found = parsePoint(/^\d+$/.test(text) ? `@${text}` : text, end)
  if (found !== undefined && 'tsSeconds' in found) return found.tsSeconds
  const forms = 'epoch seconds such as 1792454400, or a date such as 2026-11-01 or 2026-11-01T06:30, in UTC'
  throw badParameter(name, `${JSON.stringify(text)} is not a time: ${forms}`)
}

function point(search: URLSearchParams, name: 'from' | 'to'): Point | undefined {
  const text = search.get(name)
  if (text === null) return undefined
  const found = parsePoint(text, name)
  if (found === undefined) throw badParameter(name, `${JSON.stringify(text)} is not ${pointForms}, in UTC`)
  return found
}

function whole(search: URLSearchParams, name: string, least: number, most: number): number | undefined {
  const text = search.get(name)
  if (text === null) return undefined
  const value = /^\d{1,10}$/.test(text) ? Number(text) : -1
  if (value >= least && value <= most) return value
  throw badParameter(name, `${JSON.stringify(text)} is no whole number from ${least} to ${most}`)
}

function formatOf(search: URLSearchParams, accept = ''): PageFormat {
  const asked = search.get('format')
  if (asked === 'json' || asked === 'ndjson') return asked
  if (asked !== null) throw badParameter('format', `${JSON.stringify(asked)} is neither json nor ndjson`)
  return /application\/(x-)?ndjson/i.test(accept) ? 'ndjson' : 'json'
}
