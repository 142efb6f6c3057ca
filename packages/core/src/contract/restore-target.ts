import type { IdRange } from './archive-reader.js'
import { ArchiverError } from './errors.js'
import type { LogScoreChunk } from './log-score.js'

/** What the control tables of a table say about rows that come back into it. */
export interface RestoreStanding {
  /** No row may be above this id, because of `archiver`: it would store it again. */
  readonly limit: { readonly id: bigint; readonly archiver: string } | null
  /** Whether there is a cleaner that deletes old rows. */
  readonly cleaned: boolean
  /** Whether it is paused. */
  readonly held: boolean
  /** By the server's clock, in seconds since 1970. */
  readonly nowSeconds: number
}

/** Rows in the form that the database takes; they need their chunk no more. */
export interface EncodedRows {
  readonly rows: number
  readonly firstId: bigint
  readonly lastId: bigint
}

/** The table that rows come back into. */
export interface RestoreTarget<Rows extends EncodedRows = EncodedRows> extends AsyncDisposable {
  /** Whether the database takes rows in the fastest way that it has. */
  readonly local: boolean
  /** Whether the database keeps the value of `attributes`, and not its text: spaces and the order of keys change. */
  readonly jsonAttributes: boolean
  /** Null for a table that nobody archives. */
  standing(): Promise<RestoreStanding | null>
  /** The table's rows of the range, with the texts of `attributes`. */
  rows(range: IdRange): AsyncIterable<LogScoreChunk>
  /** @param wanted - 1 for each row that is to be written. */
  encode(chunk: LogScoreChunk, wanted: Uint8Array, rows: number): Rows
  /**
   * Writes all of the rows or none, in a transaction.
   *
   * @throws ArchiverError (RESTORE_ABOVE_MARK, RESTORE_PAST_RETENTION, RESTORE_CHANGED, RESTORE_REFUSED)
   */
  write(rows: Rows): Promise<void>
}

/** A row above a mark would be archived again. */
export function aboveMark(
  table: string,
  id: bigint,
  { archiver, id: mark }: NonNullable<RestoreStanding['limit']>,
): ArchiverError {
  return new ArchiverError(
    `row ${id} is above the mark of ${archiver}, ${mark || 'none'}: it would be archived again`,
    {
      code: 'RESTORE_ABOVE_MARK',
      table,
      hint: `Name another table with --into, end at the mark with --to, or turn the archiver off: delete from \`${table}_archive_status\` where archiver = '${archiver}';`,
    },
  )
}
