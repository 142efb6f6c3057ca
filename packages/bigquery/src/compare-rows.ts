import {
  ArchiverError,
  type BatchSource,
  type ComparedRows,
  compareHeld,
  type Lease,
  type PlannedBatch,
  placeOf,
  RowCursor,
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

/**
 * Compares the table with the source, row by row.
 *
 * @throws ArchiverError `BQ_FOREIGN_ROWS` for rows that only the table has and that were not deleted from the source,
 * `BQ_DUPLICATE_ROWS` for those it has twice.
 */
export async function compareRows({ reader, batch, source, lease, times }: Comparison & Times): Promise<ComparedRows> {
  await using held = await RowCursor.open(reader.read(batch.table, { ...batch, times }, lease.signal))
  const compared = await compareHeld(source, held, lease)
  refuse(batch, compared)
  return compared
}

function refuse(batch: PlannedBatch, { foreign, doubled }: ComparedRows): void {
  const place = placeOf(batch)
  if (foreign.count > 0) {
    throw new ArchiverError(`BigQuery holds ${foreign} of the batch's range that the source does not have`, {
      code: 'BQ_FOREIGN_ROWS',
      hint: 'Find out where these rows come from; delete or restore them by hand, then run again.',
      ...place,
    })
  }
  if (doubled.count > 0) {
    throw new ArchiverError(`BigQuery holds ${doubled} more than once`, {
      code: 'BQ_DUPLICATE_ROWS',
      hint: 'Remove the copies by hand, then run again: see docs/archives/bigquery.md.',
      ...place,
    })
  }
}
