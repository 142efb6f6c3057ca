import { Readable } from 'node:stream'
import { ArchiverError, type LogScoreChunk } from '@archiver/core'
import type { Connection } from 'mysql2'
import { quoteName } from '../tables.js'
import type { Guard, RowBounds } from './guard.js'
import { missingParents, type Parent, type ParentIds, parentIdsOf } from './parents.js'
import { insertForm, loadForm, rowTexts, writtenColumns } from './row-text.js'
import { askRows, change } from './statements.js'

/** Rows as the server takes them; they need the chunk no more. */
export interface EncodedBatch extends RowBounds {
  readonly rows: number
  /** Of LOAD DATA, or the values of inserts, a statement each. */
  readonly pieces: readonly Buffer[]
  readonly parentIds: ParentIds
}

export interface RowWriterOptions {
  readonly connection: Connection
  readonly table: string
  readonly guard: Guard | undefined
  /** Whether the server takes LOAD DATA LOCAL. */
  readonly local: boolean
  readonly parents: readonly Parent[]
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
  private readonly parents: readonly Parent[]
  private readonly load: string
  private readonly insert: string

  constructor({ connection, table, guard, local, parents }: RowWriterOptions) {
    this.connection = connection
    this.table = table
    this.guard = guard
    this.local = local
    this.parents = parents
    const columns = `(${writtenColumns.map(quoteName).join(', ')})`
    this.load =
      `load data local infile 'rows' into table ${quoteName(table)} character set utf8mb4 ` +
      `fields terminated by '\\t' escaped by '\\\\' lines terminated by '\\n' ${columns}`
    this.insert = `insert into ${quoteName(table)} ${columns} values `
  }

  encode(chunk: LogScoreChunk, wanted: Uint8Array, rows: number): EncodedBatch {
    const form = this.local ? loadForm : insertForm
    const pieces = [...rowTexts(chunk, wanted, form, PIECE_CHARACTERS)].map((text) => Buffer.from(text))
    return { rows, pieces, parentIds: parentIdsOf(chunk, wanted, this.parents), ...boundsOf(chunk, wanted) }
  }

  /** All of the rows or none. @throws ArchiverError; what the driver throws, where the connection may be lost. */
  async write(rows: EncodedBatch): Promise<void> {
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
      throw error instanceof Orphans || isOrphan(error) ? await this.orphansError(rows, error) : error
    }
  }

  /** Names the servers and monitors that are not there any more; asked once the rows are rolled back. */
  private async orphansError(rows: EncodedBatch, error: Error): Promise<ArchiverError> {
    const missing = await missingParents(this.connection, this.parents, rows.parentIds).catch(() => [])
    return refused(this.table, rows, missing.length === 0 ? error.message : missing.join('; '), ORPHANED)
  }

  private async loadRows({ pieces, firstId, lastId }: EncodedBatch): Promise<number> {
    const { affectedRows, warningStatus } = await change(this.connection, this.load, () =>
      Readable.from(pieces, { objectMode: false }),
    )
    if (warningStatus === 0) return affectedRows
    const shown = await askRows(this.connection, 'show warnings limit 3')
    // Level, code, message. None where the server keeps none (max_error_count).
    const warnings = shown.map((warning): Warning => [Number(warning[1]), String(warning[2])])
    if (warnings.length > 0 && warnings.every(([code]) => code === DUPLICATE)) return affectedRows
    if (warnings.some(([code]) => code === NO_PARENT)) throw new Orphans(warnings[0]?.[1])
    throw refused(this.table, { firstId, lastId }, [...new Set(warnings.map(([, text]) => text))].join('; '), AS_SOURCE)
  }

  private async insertRows({ pieces }: EncodedBatch): Promise<number> {
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

/** Rows whose server or monitor is not there. */
class Orphans extends Error {}

const AS_SOURCE = 'Correct the table (create one like the source), then run again.'

const ORPHANED =
  'They were deleted since. Restore into another table, made by "create table … like": it has no foreign keys. Or restore ' +
  'servers that are there, with --server.'

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

function changed(table: string, { firstId, lastId, rows }: EncodedBatch, written: number): ArchiverError {
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
  why: string,
  hint: string,
): ArchiverError {
  return new ArchiverError(`${table} does not take rows ${firstId} to ${lastId} as they are: ${why}`, {
    code: 'RESTORE_REFUSED',
    table,
    hint: `These rows were rolled back. ${hint}`,
  })
}
