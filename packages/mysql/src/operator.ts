import type { IdRange } from '@archiver/core'
import { ArchiverError } from '@archiver/core'
import { type Kysely, sql } from 'kysely'
import type { Connection, RowDataPacket } from 'mysql2'
import { run } from './connect.js'
import { isMissingTable, statementError } from './mysql-errors.js'
import { type ControlTables, controlQueries, controlTableNames, quoteName, skipTableSql } from './tables.js'

const HOUR_SECONDS = 3_600

/** A batch of the catalogue that holds rows above an id. */
export interface StoredBatch {
  readonly batchId: bigint
  readonly firstId: bigint
  readonly lastId: bigint
  readonly rows: number
  /** File, object, job or query id. */
  readonly identity: string
}

/** A row taken out for one archiver. */
export interface Skip {
  readonly archiver: string
  readonly rowId: bigint
  readonly reason: string
  /** The row in full, as JSON. */
  readonly rowJson: string
  /** Who did it: user and host of the connection. */
  readonly by: string
}

/** What an operator does by hand, on the lock's connection: moves a mark, takes a row out. Both leave a record. */
export class MySqlOperator {
  private readonly connection: Connection
  private readonly db: Kysely<ControlTables>
  private readonly table: string
  private readonly names: ReturnType<typeof controlTableNames>

  constructor(connection: Connection, table: string) {
    this.connection = connection
    this.db = controlQueries(connection)
    this.table = table
    this.names = controlTableNames(table)
  }

  /** The finished batches with rows above `id`, oldest first. */
  async batchesAbove(archiver: string, id: bigint): Promise<readonly StoredBatch[]> {
    const rows = await this.db
      .selectFrom(this.names.batch)
      .select(['id', 'first_id', 'last_id', 'row_count', 'identity'])
      .where('archiver', '=', archiver)
      .where('state', '=', 'done')
      .where('last_id', '>', id)
      .orderBy('last_id')
      .execute()
    return rows.map((row) => ({
      batchId: BigInt(row.id),
      firstId: BigInt(row.first_id),
      // A done batch has all of these; the columns are nullable for the others.
      lastId: BigInt(row.last_id ?? 0),
      rows: row.row_count ?? 0,
      identity: row.identity ?? '',
    }))
  }

  /**
   * Between which ids an archiver's rows of these times can lie, as far as its finished batches tell: ids rise with time, but
   * for some seconds, and an hour is allowed for. Everything without a catalogue.
   */
  async idsBetween(archiver: string, fromSeconds: number, toSeconds: number): Promise<IdRange> {
    const done = this.db.selectFrom(this.names.batch).where('archiver', '=', archiver).where('state', '=', 'done')
    try {
      const below = await done
        .where('max_ts', '<', fromSeconds - HOUR_SECONDS)
        .select(({ fn }) => fn.max('last_id').as('id'))
        .executeTakeFirst()
      const above = await done
        .where('min_ts', '>', toSeconds + HOUR_SECONDS)
        .select(({ fn }) => fn.min('first_id').as('id'))
        .executeTakeFirst()
      return { afterId: BigInt(below?.id ?? 0), upToId: above?.id == null ? 2n ** 64n - 1n : BigInt(above.id) - 1n }
    } catch (error) {
      if (isMissingTable(error)) return { afterId: 0n, upToId: 2n ** 64n - 1n }
      throw statementError(error, 'reading the catalogue', { archiver, table: this.table })
    }
  }

  /**
   * Moves a mark, by compare-and-set, and files who moved it and why. A null id is no mark.
   *
   * @throws ArchiverError when the mark is not at `from`, or there is no row `to`.
   */
  async moveMark(archiver: string, from: bigint | null, to: bigint | null, reason: string): Promise<void> {
    try {
      await this.db.transaction().execute(async (transaction) => {
        const { numUpdatedRows } = await transaction
          .updateTable(this.names.status)
          .set({ log_score_id: to, modified_on: sql`current_timestamp` })
          .where('archiver', '=', archiver)
          .where(sql<boolean>`log_score_id <=> ${from}`)
          .executeTakeFirstOrThrow()
        if (numUpdatedRows !== 1n) throw new Error(`the mark is not at ${from ?? 'none'} any more`)
        const range = { after_id: from ?? 0n, first_id: 0n, up_to_id: to ?? 0n }
        await transaction
          .insertInto(this.names.batch)
          .values({ archiver, state: 'moved', ...range, identity: reason, host: await this.who(transaction) })
          .execute()
      })
    } catch (error) {
      const isNoRow = (error as NodeJS.ErrnoException).code === 'ER_NO_REFERENCED_ROW_2'
      if (isNoRow && to !== null) throw noSuchRow(to, archiver, this.table)
      throw statementError(error, `moving the mark of ${archiver}`, { archiver, table: this.table })
    }
  }

  /** The row in full, as JSON; null if there is none. */
  async rowJson(id: bigint): Promise<string | null> {
    const statement = `select * from ${quoteName(this.table)} where id = ?`
    const row = await new Promise<RowDataPacket | undefined>((resolve, reject) =>
      this.connection.query<RowDataPacket[]>(statement, [id], (error, [first] = []) =>
        error ? reject(statementError(error, 'reading the row', { table: this.table })) : resolve(first),
      ),
    )
    return row === undefined ? null : JSON.stringify(row)
  }

  /** Takes a row out for one archiver: its batches are stored without it from now on. */
  async skip({ archiver, rowId, reason, rowJson, by }: Skip): Promise<void> {
    try {
      await run(this.connection, skipTableSql(this.table))
      await this.db
        .insertInto(this.names.skip)
        .values({ archiver, row_id: rowId, reason, row_json: rowJson, skipped_by: by })
        .execute()
    } catch (error) {
      const duplicate = (error as NodeJS.ErrnoException).code === 'ER_DUP_ENTRY'
      if (!duplicate) throw statementError(error, `skipping row ${rowId}`, { archiver, table: this.table })
      throw new ArchiverError(`row ${rowId} is skipped already`, { code: 'SKIP_TWICE', archiver, table: this.table })
    }
  }

  /** User and host of this connection. */
  async who(queries: Kysely<ControlTables> = this.db): Promise<string> {
    const { rows } = await sql<{ who: string }>`select user() as who`.execute(queries)
    return rows[0]?.who ?? ''
  }
}

/** The status table refers to the rows of the source: a mark is the id of one. */
function noSuchRow(id: bigint, archiver: string, table: string): ArchiverError {
  return new ArchiverError(`the mark of ${archiver} cannot be set to ${id}: ${table} has no row with this id`, {
    code: 'MARK_NO_ROW',
    hint: `Name the id of a row that is there: select max(id) from ${quoteName(table)} where id <= ${id}`,
    archiver,
    table,
  })
}
