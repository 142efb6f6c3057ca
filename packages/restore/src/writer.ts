import { Readable } from 'node:stream'
import { ArchiverError, type LogScoreChunk } from '@archiver/core'
import { quoteName } from '@archiver/mysql'
import type { Connection } from 'mysql2'
import type { Guard, RowBounds } from './guard.js'
import { insertForm, loadForm, rowTexts, writtenColumns } from './row-text.js'
import { askRows, change } from './statements.js'

/** Rows as the server takes them; they need the chunk no more. */
export interface EncodedRows extends RowBounds {
  readonly rows: number
  /** Of LOAD DATA, or the values of inserts, a statement each. */
  readonly pieces: readonly Buffer[]
}

/** Much less than any server takes in one packet by default. */
const PIECE_CHARACTERS = 256 * 1024

/**
 * Writes rows into a table, a batch in a transaction. LOAD DATA LOCAL takes them from memory, twice as fast as anything
 * else; where the server does not allow it (local_infile), inserts of many rows do.
 *
 * LOCAL makes warnings of errors and passes over ids that are there: so the rows are counted, and a warning is a failure.
 */
export class RowWriter {
  private readonly connection: Connection
  private readonly table: string
  private readonly guard: Guard | undefined
  private readonly local: boolean
  private readonly load: string
  private readonly insert: string

  constructor(connection: Connection, table: string, guard: Guard | undefined, local: boolean) {
    this.connection = connection
    this.table = table
    this.guard = guard
    this.local = local
    const columns = `(${writtenColumns.map(quoteName).join(', ')})`
    this.load =
      `load data local infile 'rows' into table ${quoteName(table)} character set utf8mb4 ` +
      `fields terminated by '\\t' escaped by '\\\\' lines terminated by '\\n' ${columns}`
    this.insert = `insert into ${quoteName(table)} ${columns} values `
  }

  encode(chunk: LogScoreChunk, wanted: Uint8Array, rows: number): EncodedRows {
    const form = this.local ? loadForm : insertForm
    const pieces = [...rowTexts(chunk, wanted, form, PIECE_CHARACTERS)].map((text) => Buffer.from(text))
    return { rows, pieces, ...boundsOf(chunk, wanted) }
  }

  /** All of the rows or none. @throws ArchiverError; what the driver throws, where the connection may be lost. */
  async write(rows: EncodedRows): Promise<void> {
    await change(this.connection, 'start transaction')
    try {
      const written = this.local ? await this.loadRows(rows) : await this.insertRows(rows)
      if (written !== rows.rows) throw changed(this.table, rows, written)
      await this.guard?.require(rows)
      await change(this.connection, 'commit')
    } catch (error) {
      // A connection that is lost rolls back by itself.
      await change(this.connection, 'rollback').catch(() => undefined)
      if (isDuplicate(error)) throw changed(this.table, rows, 0)
      throw isOrphan(error) ? refused(this.table, rows, [[NO_PARENT, error.message]]) : error
    }
  }

  private async loadRows({ pieces, firstId, lastId }: EncodedRows): Promise<number> {
    const { affectedRows, warningStatus } = await change(this.connection, this.load, () =>
      Readable.from(pieces, { objectMode: false }),
    )
    if (warningStatus === 0) return affectedRows
    const shown = await askRows(this.connection, 'show warnings limit 3')
    // Level, code, message. None where the server keeps none (max_error_count).
    const warnings = shown.map((warning): Warning => [Number(warning[1]), String(warning[2])])
    if (warnings.length > 0 && warnings.every(([code]) => code === DUPLICATE)) return affectedRows
    throw refused(this.table, { firstId, lastId }, warnings)
  }

  private async insertRows({ pieces }: EncodedRows): Promise<number> {
    let rows = 0
    for (const piece of pieces) {
      // Without the comma after the last row.
      const { affectedRows } = await change(this.connection, this.insert + piece.toString('utf8', 0, piece.length - 1))
      rows += affectedRows
    }
    return rows
  }
}

/** ER_DUP_ENTRY */
const DUPLICATE = 1062
/** ER_NO_REFERENCED_ROW_2 */
const NO_PARENT = 1452

/** Number and text. */
type Warning = readonly [number, string]

const orphaned =
  'Some are of a server or a monitor that was deleted since. Restore into another table, made by "create table … like": it ' +
  'has no foreign keys. Or restore servers that are there, with --server.'

function isOrphan(error: unknown): error is Error {
  return (error as { errno?: number }).errno === NO_PARENT // an error of the driver's, or one without
}

function isDuplicate(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ER_DUP_ENTRY'
}

function boundsOf({ id, rows, tsSeconds }: LogScoreChunk, wanted: Uint8Array): RowBounds {
  let minTsSeconds = Number.POSITIVE_INFINITY
  for (let i = 0; i < rows; i++) if (wanted[i] === 1 && tsSeconds[i]! < minTsSeconds) minTsSeconds = tsSeconds[i]!
  return { firstId: id[wanted.indexOf(1)]!, lastId: id[wanted.lastIndexOf(1)]!, minTsSeconds }
}

function changed(table: string, { firstId, lastId, rows }: EncodedRows, written: number): ArchiverError {
  return new ArchiverError(
    `of ${rows} rows of ids ${firstId} to ${lastId} the table took ${written}: others write there`,
    {
      code: 'RESTORE_CHANGED',
      table,
      hint: 'These rows were rolled back. The next run compares what is there by then.',
      retryable: true,
    },
  )
}

function refused(
  table: string,
  { firstId, lastId }: Pick<RowBounds, 'firstId' | 'lastId'>,
  warnings: readonly Warning[],
) {
  const why = [...new Set(warnings.map(([, text]) => text))].join('; ')
  const isOrphaned = warnings.some(([code]) => code === NO_PARENT)
  return new ArchiverError(`${table} does not take rows ${firstId} to ${lastId} as they are: ${why}`, {
    code: 'RESTORE_REFUSED',
    table,
    hint: `These rows were rolled back. ${isOrphaned ? orphaned : 'Correct the table (create one like the source), then run again.'}`,
  })
}
