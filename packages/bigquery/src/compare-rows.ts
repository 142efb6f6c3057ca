import { RowCursor } from '@archiver/avro'
import { ArchiverError, type Permit, type PlannedBatch, type ReadRows } from '@archiver/core'
import type { BigQueryReader } from './reader.js'

/** How many rows an error names. */
const namedRows = 5

export interface Comparison {
  readonly reader: BigQueryReader
  readonly batch: PlannedBatch
  readonly source: ReadRows
  readonly permit: Permit
}

/**
 * The ids of the batch's rows that the table holds, ascending, each found with its server and time.
 *
 * @throws ArchiverError `BQ_FOREIGN_ROWS` for rows that only the table has, `BQ_DUPLICATE_ROWS` for those it has twice.
 */
export async function compareRows({ reader, batch, source, permit }: Comparison): Promise<BigUint64Array> {
  const ids: bigint[] = []
  const foreign: string[] = []
  const twice: string[] = []
  await using rows = new RowCursor(source())
  await using held = new RowCursor(reader.read(batch.table, batch, permit.signal))
  while (await held.next()) {
    if (held.rows % 10_000 === 1) permit.check()
    const difference = (await seek(rows, held.id)) ? differenceOf(held, rows) : ''
    if (difference !== undefined) foreign.push(`${held.id}${difference}`)
    else if (ids.at(-1) === held.id) twice.push(`${held.id}`)
    else ids.push(held.id)
  }
  refuse(batch, foreign, twice)
  return BigUint64Array.from(ids)
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
  return ` (there ${whose(held)}, in the source ${whose(row)})`
}

function whose({ chunk, row }: RowCursor): string {
  return `of server ${chunk.serverId[row]} at ${utc(chunk.tsSeconds[row]!)}`
}

function utc(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}

function refuse({ table, afterId, upToId, archiver }: PlannedBatch, foreign: string[], twice: string[]): void {
  const place = { archiver, table, afterId, upToId }
  if (foreign.length > 0) {
    throw new ArchiverError(`BigQuery holds ${named(foreign)} of the batch's range that the source does not have`, {
      code: 'BQ_FOREIGN_ROWS',
      hint: 'Find out where these rows come from; delete or restore them by hand, then run again.',
      ...place,
    })
  }
  if (twice.length > 0) {
    throw new ArchiverError(`BigQuery holds ${named(twice)} more than once`, {
      code: 'BQ_DUPLICATE_ROWS',
      hint: 'Remove the copies by hand, then run again: see docs/archives/bigquery.md.',
      ...place,
    })
  }
}

function named(rows: readonly string[]): string {
  const more = rows.length > namedRows ? ', …' : ''
  return `${rows.length} row${rows.length === 1 ? '' : 's'} (id ${rows.slice(0, namedRows).join(', ')}${more})`
}
