import { parsePoint, pointForms, type ScanQuery } from '@archiver/core'
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

const parameters = ['server', 'monitor', 'from', 'to', 'after', 'limit', 'format']
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
  const [from, to] = [point(search, 'from'), point(search, 'to')]
  const first = from !== undefined && 'id' in from ? from.id - 1n : 0n
  const after = afterOf(search)
  return {
    afterId: after > first ? after : first,
    upToId: to !== undefined && 'id' in to ? to.id : maxId,
    fromSeconds: from !== undefined && 'tsSeconds' in from ? from.tsSeconds : undefined,
    toSeconds: to !== undefined && 'tsSeconds' in to ? to.tsSeconds : undefined,
  }
}

function afterOf(search: URLSearchParams): bigint {
  const text = search.get('after') ?? '0'
  const id = /^\d{1,20}$/.test(text) ? BigInt(text) : -1n
  if (id < 0n || id > maxId) throw badParameter('after', `${JSON.stringify(text)} is no id: a whole number is expected`)
  return id
}

function point(search: URLSearchParams, name: 'from' | 'to') {
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
