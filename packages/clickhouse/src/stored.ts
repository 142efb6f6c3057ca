import { ArchiverError, type Permit, type PlannedBatch, type ReadRows, type StoredRows } from '@archiver/core'
import { HeldRows, heldColumns } from './held-rows.js'
import type { Link } from './link.js'
import { measure } from './native.js'
import { partsOf, queryIdOf } from './store.js'
import { quoted, secondsPerDay } from './table.js'

/** How many rows an error names. */
const namedRows = 5

interface SourceSummary {
  rows: number
  bytes: number
  rttNegative: number
  firstDay: number
  lastDay: number
}

/** Compares what the table holds of a batch's range with the source, row by row, in the order of ids. */
export async function storedRows(
  link: Link,
  database: string,
  batch: PlannedBatch,
  source: ReadRows,
  permit: Permit,
): Promise<StoredRows> {
  const summary = await summarise(link, source, permit)
  permit.check()
  const held = new HeldRows(link.read(heldQuery(database, batch, summary), permit.signal))
  try {
    const ids = await compare(held, source, summary.rows, batch, permit)
    return answer(ids, summary, queryIdOf(database, batch))
  } finally {
    await held.end()
  }
}

function answer(ids: BigUint64Array, { rows, bytes, rttNegative }: SourceSummary, identity: string): StoredRows {
  if (ids.length === 0) return { kind: 'none' }
  if (ids.length < rows) return { kind: 'some', ids }
  return { kind: 'all', result: { rows, bytes, identity, conversions: { rttNegative } } }
}

async function summarise(link: Link, source: ReadRows, permit: Permit): Promise<SourceSummary> {
  const summary = { rows: 0, bytes: 0, rttNegative: 0, firstDay: Number.POSITIVE_INFINITY, lastDay: -1 }
  for await (const part of partsOf(source(), link)) {
    permit.check()
    const { bytes, rttNegative } = measure(part)
    summary.rows += part.to - part.from
    summary.bytes += bytes
    summary.rttNegative += rttNegative
    for (let i = part.from; i < part.to; i++) {
      const day = Math.floor(part.chunk.tsSeconds[i]! / secondsPerDay)
      if (day < summary.firstDay) summary.firstDay = day
      if (day > summary.lastDay) summary.lastDay = day
    }
  }
  return summary
}

/** Only the partitions of the source's days, and one more on either side for rows that were written in local time. */
function heldQuery(database: string, { table, afterId, upToId }: PlannedBatch, summary: SourceSummary): string {
  const { rows, firstDay, lastDay } = summary
  const days = `dt BETWEEN toDate(${Math.max(0, firstDay - 1)}) AND toDate(${lastDay + 1}) AND `
  return `SELECT ${heldColumns} FROM ${quoted(database)}.${quoted(table)}
    WHERE ${rows === 0 ? '' : days}id > ${afterId} AND id <= ${upToId} ORDER BY id`
}

/** The ids that both have, ascending. Throws for a row that only the archive has, and for an id that it has twice. */
async function compare(
  held: HeldRows,
  source: ReadRows,
  rows: number,
  batch: PlannedBatch,
  permit: Permit,
): Promise<BigUint64Array> {
  const ids = new BigUint64Array(rows)
  const foreign = new Findings()
  const twice = new Findings()
  let count = 0
  await held.advance()
  for await (const chunk of source()) {
    permit.check()
    for (let i = 0; i < chunk.rows && held.id !== undefined; i++) {
      const id = chunk.id[i]!
      for (; held.id !== undefined && held.id < id; await held.advance()) foreign.add(`${held.id}`)
      let known = false
      for (; held.id === id; await held.advance()) {
        const differs = difference(held, chunk.serverId[i]!, chunk.tsSeconds[i]!)
        if (differs) foreign.add(`${id} (${differs})`)
        else if (known) twice.add(`${id}`)
        else ids[count++] = id
        known ||= !differs
      }
    }
  }
  for (; held.id !== undefined; await held.advance()) foreign.add(`${held.id}`)
  refuse(foreign, twice, batch)
  return ids.subarray(0, count)
}

function difference(held: HeldRows, serverId: number, tsSeconds: number): string | undefined {
  if (held.serverId === serverId && held.tsSeconds === tsSeconds) return undefined
  return `there of server ${held.serverId} at ${utc(held.tsSeconds)}, in the source of server ${serverId} at ${utc(tsSeconds)}`
}

function utc(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}

function refuse(foreign: Findings, twice: Findings, { table, afterId, upToId, archiver }: PlannedBatch): void {
  const place = { archiver, table, afterId, upToId }
  if (foreign.count > 0) {
    throw new ArchiverError(`ClickHouse holds ${foreign} of the batch's range that the source does not have`, {
      code: 'CLICKHOUSE_FOREIGN_ROWS',
      hint: 'Find out where these rows come from; delete or restore them by hand, then run again.',
      ...place,
    })
  }
  if (twice.count > 0) {
    throw new ArchiverError(`ClickHouse holds ${twice} more than once`, {
      code: 'CLICKHOUSE_DUPLICATE_ROWS',
      hint: 'Remove the copies by hand, then run again: see docs/archives/clickhouse.md.',
      ...place,
    })
  }
}

/** Counts rows and remembers the first few by name. */
class Findings {
  count = 0
  readonly #names: string[] = []

  add(name: string): void {
    if (this.#names.length < namedRows) this.#names.push(name)
    this.count++
  }

  toString(): string {
    const more = this.count > this.#names.length ? ', …' : ''
    return `${this.count} row${this.count === 1 ? '' : 's'} (id ${this.#names.join(', ')}${more})`
  }
}
