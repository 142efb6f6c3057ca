import { RowCursor } from '@archiver/avro'
import {
  ArchiverError,
  type BatchSource,
  type Lease,
  NamedRows,
  type PlannedBatch,
  RowsNotInSource,
  type TimeSpan,
} from '@archiver/core'
import type { BigQueryReader } from './reader.js'

export interface Comparison {
  readonly reader: BigQueryReader
  readonly batch: PlannedBatch
  readonly source: BatchSource
  readonly lease: Lease
}

/** When the rows of the batch were measured. */
interface Times {
  readonly times: readonly TimeSpan[]
}

/** What the table holds of a batch. */
export interface ComparedRows {
  /** Of the rows that the source has too, ascending, each found with its server and time. */
  readonly ids: BigUint64Array
  /** Rows of the source. */
  readonly sourceRows: number
  /** Rows of the table that were deleted from the source since. */
  readonly deletedRows: number
}

/**
 * Compares the table with the source, row by row.
 *
 * @throws ArchiverError `BQ_FOREIGN_ROWS` for rows that only the table has and that were not deleted from the source,
 * `BQ_DUPLICATE_ROWS` for those it has twice.
 */
export async function compareRows({ reader, batch, source, lease, times }: Comparison & Times): Promise<ComparedRows> {
  const ids: bigint[] = []
  const others = new RowsNotInSource(source)
  const twice = new NamedRows()
  await using rows = new RowCursor(source.read())
  await using held = new RowCursor(reader.read(batch.table, { ...batch, times }, lease.signal))
  while (await held.next()) {
    if (held.rows % 10_000 === 1) lease.assertHeld()
    const { id } = held
    if (!(await seek(rows, id))) {
      await others.add(id)
      continue
    }
    const difference = differenceOf(held, rows)
    if (difference !== undefined) others.addDifferent(id, difference)
    else if (ids.at(-1) === id) twice.add(`${id}`)
    else ids.push(id)
  }
  while (await rows.next());
  await others.settle()
  refuse(batch, others.foreign, twice)
  return { ids: BigUint64Array.from(ids), sourceRows: rows.rows, deletedRows: others.deletedRows }
}

/** Moves the source on to the row of this id; false where there is none. */
async function seek(rows: RowCursor, id: bigint): Promise<boolean> {
  while (rows.rows === 0 || rows.id < id) if (!(await rows.next())) return false
  return rows.id === id
}

function differenceOf(held: RowCursor, row: RowCursor): string | undefined {
  const { chunk: a, row: i } = held
  const { chunk: b, row: j } = row
  if (a.serverId[i] === b.serverId[j] && a.tsSeconds[i] === b.tsSeconds[j]) return undefined
  return `there ${whose(held)}, in the source ${whose(row)}`
}

function whose({ chunk, row }: RowCursor): string {
  return `of server ${chunk.serverId[row]} at ${utc(chunk.tsSeconds[row]!)}`
}

function utc(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}

function refuse({ table, afterId, upToId, archiver }: PlannedBatch, foreign: NamedRows, twice: NamedRows): void {
  const place = { archiver, table, afterId, upToId }
  if (foreign.count > 0) {
    throw new ArchiverError(`BigQuery holds ${foreign} of the batch's range that the source does not have`, {
      code: 'BQ_FOREIGN_ROWS',
      hint: 'Find out where these rows come from; delete or restore them by hand, then run again.',
      ...place,
    })
  }
  if (twice.count > 0) {
    throw new ArchiverError(`BigQuery holds ${twice} more than once`, {
      code: 'BQ_DUPLICATE_ROWS',
      hint: 'Remove the copies by hand, then run again: see docs/archives/bigquery.md.',
      ...place,
    })
  }
}
