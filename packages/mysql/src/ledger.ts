import { hostname } from 'node:os'
import {
  ArchiverError,
  type ArchiverStatus,
  type BatchRecord,
  type Ledger,
  type MarkMove,
  type PlannedBatch,
  placeOf,
  type SourceRange,
} from '@archiver/core'
import { type Kysely, type Selectable, sql, type Transaction } from 'kysely'
import type { Connection } from 'mysql2'
import { run } from './connect.js'
import { controlError } from './control-error.js'
import { isMissingParent, isMissingTable, isReadOnly } from './mysql-errors.js'
import { refuseReadOnly } from './read-only.js'
import {
  type BatchState,
  type BatchTable,
  batchTableSql,
  type ControlTables,
  controlQueries,
  controlTableNames,
} from './tables.js'

/** Marks and batches in the two tables beside the source table, over the lock's connection. */
export class MySqlLedger implements Ledger {
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

  /** Refuses a read-only server where asked to, and creates the batch table where it is missing. @throws ArchiverError with the SQL to run, where the account may not. */
  async prepare({ rejectReadOnly = false } = {}): Promise<void> {
    await this.status()
    if (rejectReadOnly) await refuseReadOnly(this.db, this.table)
    try {
      await this.db.selectFrom(this.names.batch).select('id').limit(1).execute()
    } catch (error) {
      if (!isMissingTable(error)) throw this.explain(error, 'reading the batches')
      await this.createBatchTable()
    }
  }

  async status(): Promise<readonly ArchiverStatus[]> {
    const rows = await this.try('reading the marks', () =>
      this.db
        .selectFrom(this.names.status)
        .select(['archiver', 'log_score_id'])
        .select(sql<number>`timestampdiff(microsecond, modified_on, now(6)) / 1000`.as('age_ms'))
        .orderBy('log_score_id')
        .orderBy('modified_on')
        .execute(),
    )
    return rows.map(({ archiver, log_score_id, age_ms }) => ({
      archiver,
      mark: toId(log_score_id),
      ageMs: Number(age_ms),
    }))
  }

  async planned(archiver: string): Promise<PlannedBatch | null> {
    const row = await this.try('looking for a planned batch', () =>
      this.batches(archiver).where('state', '=', 'planned').executeTakeFirst(),
    )
    return row === undefined ? null : this.toBatch(archiver, row)
  }

  async skipped(archiver: string): Promise<BigUint64Array> {
    const rows = await this.db
      .selectFrom(this.names.skip)
      .select('row_id')
      .where('archiver', '=', archiver)
      .orderBy('row_id')
      .execute()
      .catch((error: unknown) => this.noneWithoutTable(error))
    return BigUint64Array.from(rows, ({ row_id }) => BigInt(row_id))
  }

  async plan(batch: Omit<PlannedBatch, 'id' | 'table'>): Promise<PlannedBatch> {
    const { archiver, afterId, firstId, upToId } = batch
    const result = await this.try('planning a batch', () =>
      this.db
        .insertInto(this.names.batch)
        .values({
          archiver,
          state: 'planned',
          after_id: afterId,
          first_id: firstId,
          up_to_id: upToId,
          host: hostname(),
        })
        .executeTakeFirstOrThrow(),
    )
    return { ...batch, id: result.insertId!, table: this.table }
  }

  async shorten(batch: PlannedBatch, upToId: bigint): Promise<PlannedBatch> {
    await this.try('shortening a batch', () =>
      this.db
        .updateTable(this.names.batch)
        .set({ up_to_id: upToId })
        .where('id', '=', batch.id)
        .where('state', '=', 'planned')
        .execute(),
    )
    return { ...batch, upToId }
  }

  async withdraw(batch: PlannedBatch): Promise<void> {
    await this.try('withdrawing a batch', () =>
      this.db.deleteFrom(this.names.batch).where('id', '=', batch.id).where('state', '=', 'planned').execute(),
    )
  }

  async commit(batch: PlannedBatch, record: BatchRecord, move: MarkMove): Promise<bigint> {
    return this.try('moving the mark', () =>
      this.db.transaction().execute(async (transaction) => {
        const to = await this.moveMarkToRow(transaction, batch, move)
        await this.finish(transaction, batch, record)
        return to
      }),
    )
  }

  async supersede(batch: PlannedBatch): Promise<void> {
    await this.setState(batch, 'planned', 'superseded')
  }

  async reopen(batch: PlannedBatch): Promise<void> {
    await this.setState(batch, 'done', 'planned')
  }

  async highPoint(archiver: string): Promise<bigint> {
    const row = await this.try('looking for the last batch', () =>
      this.db
        .selectFrom(this.names.batch)
        .select(({ fn }) => fn.max('last_id').as('high'))
        .where('archiver', '=', archiver)
        .executeTakeFirst(),
    )
    return toId(row?.high ?? null) ?? 0n
  }

  deletedUpTo(): Promise<bigint> {
    return this.highPoint('cleanup')
  }

  async noteForeign(archiver: string, { afterId, upToId }: SourceRange): Promise<void> {
    const range = { after_id: afterId, first_id: afterId + 1n, up_to_id: upToId, last_id: upToId }
    await this.try('noting rows that another program stored', () =>
      this.db
        .insertInto(this.names.batch)
        .values({ archiver, state: 'foreign', ...range, host: hostname() })
        .execute(),
    )
  }

  async doneAfter(archiver: string, mark: bigint): Promise<PlannedBatch | null> {
    const row = await this.try('looking for a finished batch', () =>
      this.batches(archiver)
        .where('state', '=', 'done')
        .where('last_id', '>', mark)
        .orderBy('last_id')
        .executeTakeFirst(),
    )
    return row === undefined ? null : this.toBatch(archiver, row)
  }

  private batches(archiver: string) {
    return this.db
      .selectFrom(this.names.batch)
      .select(['id', 'after_id', 'first_id', 'up_to_id'])
      .where('archiver', '=', archiver)
  }

  private toBatch(archiver: string, row: Pick<Selectable<BatchTable>, 'id' | 'after_id' | 'first_id' | 'up_to_id'>) {
    const [id, afterId] = [BigInt(row.id), BigInt(row.after_id)]
    return { id, archiver, table: this.table, afterId, firstId: BigInt(row.first_id), upToId: BigInt(row.up_to_id) }
  }

  private async setState({ id }: PlannedBatch, from: BatchState, to: BatchState): Promise<void> {
    await this.try(`filing a batch as ${to}`, () =>
      this.db.updateTable(this.names.batch).set({ state: to }).where('id', '=', id).where('state', '=', from).execute(),
    )
  }

  /** The foreign key of the status table refuses a row that was deleted. A row that is locked stays until the commit. */
  private async moveMarkToRow(
    transaction: Transaction<ControlTables>,
    batch: PlannedBatch,
    move: MarkMove,
  ): Promise<bigint> {
    try {
      await this.moveMark(transaction, batch, move)
      return move.to
    } catch (error) {
      if (!isMissingParent(error)) throw error
    }
    const { rows } = await sql<{ id: number | string }>`
      select id from ${sql.table(this.table)} where id > ${move.from} and id <= ${move.to}
      order by id desc limit 1 lock in share mode`.execute(transaction)
    const to = toId(rows[0]?.id ?? null) ?? move.from
    await this.moveMark(transaction, batch, { from: move.from, to })
    return to
  }

  /** Compare and set: the mark is moved only from where this program found it. Where it stays, so does its time. */
  private async moveMark(transaction: Transaction<ControlTables>, batch: PlannedBatch, move: MarkMove): Promise<void> {
    const modifiedOn = move.to === move.from ? sql`modified_on` : sql`current_timestamp`
    const { numUpdatedRows } = await transaction
      .updateTable(this.names.status)
      .set({ log_score_id: move.to === 0n ? null : move.to, modified_on: modifiedOn })
      .where('archiver', '=', batch.archiver)
      .where(sql<boolean>`coalesce(log_score_id, 0) = ${move.from}`)
      .executeTakeFirstOrThrow()
    if (numUpdatedRows !== 1n) throw markMoved(batch)
  }

  private async finish(transaction: Transaction<ControlTables>, batch: PlannedBatch, r: BatchRecord): Promise<void> {
    const { numUpdatedRows } = await transaction
      .updateTable(this.names.batch)
      .set({ state: 'done', first_id: r.firstId, last_id: r.lastId, row_count: r.rows })
      .set({ min_ts: r.minTsSeconds, max_ts: r.maxTsSeconds, id_hash: r.idHash, bytes: r.bytes, identity: r.identity })
      .set({ done_on: sql`current_timestamp(3)` })
      .where('id', '=', batch.id)
      .where('state', '=', 'planned')
      .executeTakeFirstOrThrow()
    if (numUpdatedRows !== 1n) throw markMoved(batch)
  }

  /** The table of skipped rows is made when the first row is skipped. */
  private noneWithoutTable(error: unknown): [] {
    if (isMissingTable(error)) return []
    throw this.explain(error, 'reading the skipped rows')
  }

  private async createBatchTable(): Promise<void> {
    const statement = batchTableSql(this.table)
    try {
      await run(this.connection, statement)
    } catch (error) {
      if (isReadOnly(error)) throw this.explain(error, `creating the table ${this.names.batch}`)
      throw new ArchiverError(`there is no table ${this.names.batch}, and it could not be created`, {
        code: 'BATCH_TABLE_MISSING',
        table: this.table,
        hint: `Run once, as a user who may: archiver init -t ${this.table}, or ${statement};`,
        cause: error,
      })
    }
  }

  private async try<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw this.explain(error, doing)
    }
  }

  private explain(error: unknown, doing: string): ArchiverError {
    return controlError(error, doing, this.table)
  }
}

function markMoved(batch: PlannedBatch): ArchiverError {
  const { archiver, table } = batch
  return new ArchiverError(`the mark of ${archiver} was moved by someone else while batch ${batch.id} was stored`, {
    code: 'MARK_MOVED',
    ...placeOf(batch),
    hint: `The batch is stored but not marked: look at ${table}_archive_status and ${table}_archive_batch.`,
  })
}

function toId(value: string | number | bigint | null): bigint | null {
  return value === null ? null : BigInt(value)
}
