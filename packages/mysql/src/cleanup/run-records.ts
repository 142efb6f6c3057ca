import { hostname } from 'node:os'
import { archiverOff, CLEANUP, type LastRun } from '@archiver/core'
import { sql, type Transaction } from 'kysely'
import type { ControlTables } from '../tables.js'
import type { CleanedTable, DeletedRange, Queries } from './table-statements.js'

/** Records of runs are kept for so long; the rows they tell of are in the archives. */
const RECORD_DAYS = 30

/** What the control tables keep of the cleaner's runs: its stamp in the status table, and a record of each run that deleted. */
export class RunRecords {
  private readonly cleaned: CleanedTable

  constructor(cleaned: CleanedTable) {
    this.cleaned = cleaned
  }

  async lastRun(): Promise<LastRun> {
    const { status, batch } = this.cleaned.names
    // The newest record tells how the run ended that left this stamp. It is older: that run deleted nothing, or was not ours.
    const { rows } = await this.cleaned.try('looking for the last run', () =>
      sql<{ age_ms: string; full: number }>`
        select timestampdiff(microsecond, s.modified_on, now(6)) / 1000 as age_ms,
          coalesce((select b.identity = 'full' and b.done_on >= s.modified_on from ${sql.table(batch)} b
            where b.archiver = ${CLEANUP} order by b.id desc limit 1), 0) as full
        from ${sql.table(status)} s where s.archiver = ${CLEANUP}`.execute(this.cleaned.db),
    )
    const last = rows[0]
    if (last === undefined) throw archiverOff(CLEANUP, this.cleaned.name)
    return { ageMs: Number(last.age_ms), full: last.full === 1 }
  }

  async clearOwnMark(): Promise<void> {
    await this.cleaned.try('clearing the mark of cleanup', () =>
      this.cleaned.db
        .updateTable(this.cleaned.names.status)
        .set({ log_score_id: null, modified_on: sql`modified_on` })
        .where('archiver', '=', CLEANUP)
        .where('log_score_id', 'is not', null)
        .execute(),
    )
  }

  async file(queries: Queries, recordId: bigint | null, range: DeletedRange): Promise<bigint> {
    const { firstId, lastId, rows } = range
    if (recordId !== null) {
      await queries
        .updateTable(this.cleaned.names.batch)
        .set({ last_id: lastId, up_to_id: lastId, row_count: sql`row_count + ${rows}` })
        .set({ done_on: sql`current_timestamp(3)` })
        .where('id', '=', recordId)
        .execute()
      return recordId
    }
    const { insertId } = await queries
      .insertInto(this.cleaned.names.batch)
      .values({
        archiver: CLEANUP,
        state: 'done',
        after_id: firstId - 1n,
        first_id: firstId,
        up_to_id: lastId,
        last_id: lastId,
        row_count: rows,
        identity: 'begun',
        host: hostname(),
      })
      .executeTakeFirstOrThrow()
    return insertId!
  }

  async stamp(recordId: bigint | null, full: boolean): Promise<void> {
    await this.cleaned.try('stamping the run', () =>
      this.cleaned.db.transaction().execute(async (transaction) => {
        await transaction
          .updateTable(this.cleaned.names.status)
          .set({ log_score_id: null, modified_on: sql`current_timestamp` })
          .where('archiver', '=', CLEANUP)
          .execute()
        if (recordId !== null) await this.endRecord(transaction, recordId, full)
      }),
    )
  }

  private async endRecord(transaction: Transaction<ControlTables>, recordId: bigint, full: boolean): Promise<void> {
    const stamp = sql<string>`(select modified_on from ${sql.table(this.cleaned.names.status)} where archiver = ${CLEANUP})`
    await transaction
      .updateTable(this.cleaned.names.batch)
      .set({ identity: full ? 'full' : 'rest', done_on: stamp })
      .where('id', '=', recordId)
      .execute()
    // How far rows have been deleted is known for ever.
    const batch = sql.table(this.cleaned.names.batch)
    const high = sql`select max(last_id) as high from ${batch} where archiver = ${CLEANUP}`
    await sql`
      delete from ${batch} where archiver = ${CLEANUP} and last_id < (select high from (${high}) as records)
        and done_on < current_timestamp - interval ${RECORD_DAYS} day limit 1000`.execute(transaction)
  }
}
