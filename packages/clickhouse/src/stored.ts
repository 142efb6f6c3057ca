import {
  ArchiverError,
  type BatchSource,
  type ComparedRows,
  compareHeld,
  DAY_SECONDS,
  deletedRowsOf,
  type Lease,
  type PlannedBatch,
  placeOf,
  type StoredRows,
} from '@archiver/core'
import { HeldRows, heldColumns } from './held-rows.js'
import type { Link } from './link.js'
import { measure } from './native.js'
import { partsOf, queryIdOf } from './store.js'
import { quoted } from './table.js'

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
  source: BatchSource,
  lease: Lease,
): Promise<StoredRows> {
  const summary = await summarise(link, source, lease)
  lease.assertHeld()
  const held = new HeldRows(link.read(heldQuery(database, batch, summary), lease.signal))
  try {
    await held.advance()
    const compared = await compareHeld(source, held, lease)
    refuse(batch, compared)
    const { ids, deletedRows } = compared
    return { ...answer(ids, summary, queryIdOf(database, batch)), ...deletedRowsOf(deletedRows) }
  } finally {
    await held.end()
  }
}

function answer(ids: BigUint64Array, { rows, bytes, rttNegative }: SourceSummary, identity: string): StoredRows {
  if (ids.length === 0) return { kind: 'none' }
  if (ids.length < rows) return { kind: 'some', ids }
  return { kind: 'all', result: { rows, bytes, identity, conversions: { rttNegative } } }
}

async function summarise(link: Link, source: BatchSource, lease: Lease): Promise<SourceSummary> {
  const summary = { rows: 0, bytes: 0, rttNegative: 0, firstDay: Number.POSITIVE_INFINITY, lastDay: -1 }
  for await (const part of partsOf(source.read(), link)) {
    lease.assertHeld()
    const { bytes, rttNegative } = measure(part)
    summary.rows += part.to - part.from
    summary.bytes += bytes
    summary.rttNegative += rttNegative
    for (let i = part.from; i < part.to; i++) {
      const day = Math.floor(part.chunk.tsSeconds[i]! / DAY_SECONDS)
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

/** @throws for a row that only the archive has and that was not deleted from the source, and for an id that it has twice. */
function refuse(batch: PlannedBatch, { foreign, doubled }: ComparedRows): void {
  const place = placeOf(batch)
  if (foreign.count > 0) {
    throw new ArchiverError(`ClickHouse holds ${foreign} of the batch's range that the source does not have`, {
      code: 'CLICKHOUSE_FOREIGN_ROWS',
      hint: 'Find out where these rows come from; delete or restore them by hand, then run again.',
      ...place,
    })
  }
  if (doubled.count > 0) {
    throw new ArchiverError(`ClickHouse holds ${doubled} more than once`, {
      code: 'CLICKHOUSE_DUPLICATE_ROWS',
      hint: 'Remove the copies by hand, then run again: see docs/archives/clickhouse.md.',
      ...place,
    })
  }
}
