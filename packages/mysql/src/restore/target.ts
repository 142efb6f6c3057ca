import type { IdRange, LogScoreChunk, RestoreStanding, RestoreTarget } from '@archiver/core'
import type { Connection } from 'mysql2'
import { connect, disconnect, isEncrypted } from '../connect.js'
import { statementError } from '../mysql-errors.js'
import { READ_COMMITTED } from '../session.js'
import type { MySqlSettings } from '../settings.js'
import { MySqlSource } from '../source.js'
import { Guard } from './guard.js'
import { findParents } from './parents.js'
import { askRows } from './statements.js'
import { requireForm, type TargetForm } from './table-form.js'
import { type EncodedBatch, RowWriter, type RowWriterOptions } from './writer.js'

export interface MySqlRestoreOptions {
  readonly settings: MySqlSettings
  /** The table that the rows come back into. It must be there. */
  readonly table: string
  /** A table of the right form, for messages: the one that was archived. */
  readonly like: string
  /** The age at which the table's cleaner deletes rows. */
  readonly retentionDays: number
}

/** The table that rows come back into. */
export class MySqlRestoreTarget implements RestoreTarget<EncodedBatch> {
  /** What is there, with the texts of `attributes`. */
  readonly source: MySqlSource
  /** Whether rows go in by LOAD DATA. */
  readonly local: boolean
  /** Whether `attributes` is of MySQL's type JSON. */
  readonly jsonAttributes: boolean
  private readonly connection: Connection
  private readonly table: string
  private readonly guard: Guard | undefined
  private readonly writer: RowWriter

  private constructor({ settings, table }: MySqlRestoreOptions, options: RowWriterOptions, form: TargetForm) {
    const { connection, guard, local } = options
    this.jsonAttributes = form.jsonAttributes
    this.connection = connection
    this.table = table
    this.guard = guard
    this.local = local
    this.writer = new RowWriter(options)
    this.source = new MySqlSource({ settings, table, encrypted: isEncrypted(connection), exactAttributes: true })
  }

  /** @throws ArchiverError for a server out of reach, or a table that cannot take the rows. Nothing is written. */
  static async open(options: MySqlRestoreOptions): Promise<MySqlRestoreTarget> {
    const { settings, table, like, retentionDays } = options
    const connection = await connect(settings, READ_COMMITTED)
    try {
      const form = await requireForm(connection, table, like)
      const [row] = await askRows(connection, 'select @@global.local_infile')
      const guard = await Guard.of(connection, table, retentionDays)
      const parents = await findParents(connection, table)
      const local = Number(row?.[0]) === 1
      return new MySqlRestoreTarget(options, { connection, table, guard, local, parents }, form)
    } catch (error) {
      await disconnect(connection)
      throw statementError(error, `looking at table ${table}`, { table })
    }
  }

  /** Null for a table that nobody archives. */
  async standing(): Promise<RestoreStanding | null> {
    return this.named('reading the marks', async () => (await this.guard?.look()) ?? null)
  }

  /** The table's rows of the range; no question is asked for them where there is none. */
  async *rows(range: IdRange): AsyncGenerator<LogScoreChunk> {
    if ((await this.source.firstId(range)) !== null) yield* this.source.read(range)
  }

  encode(chunk: LogScoreChunk, wanted: Uint8Array, rows: number): EncodedBatch {
    return this.writer.encode(chunk, wanted, rows)
  }

  /** All of the rows or none, in a transaction. @throws ArchiverError */
  write(rows: EncodedBatch): Promise<void> {
    return this.named(`writing rows ${rows.firstId} to ${rows.lastId}`, () => this.writer.write(rows))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.source[Symbol.asyncDispose]()
    await disconnect(this.connection)
  }

  private async named<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw statementError(error, doing, { table: this.table })
    }
  }
}
