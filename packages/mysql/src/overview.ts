import {
  type Acknowledged,
  type ArchiverStatus,
  type FinishedBatch,
  lowIdWarning,
  type NewestSourceRow,
  type Overview,
  type OverviewRow,
  type StatusQueries,
  type TableWarning,
  unknownColumnWarning,
} from '@archiver/core'
import { type Kysely, sql } from 'kysely'
import type { Connection } from 'mysql2'
import { unknownColumns } from './columns.js'
import { controlError } from './control-error.js'
import { isMissingTable } from './mysql-errors.js'
import { type ControlTables, controlQueries, controlTableNames } from './tables.js'

const SECONDS_TO_1970 = sql.lit(62_167_219_200)

/** Looks at the marks of all archivers and at the newest row: a few cheap queries, however many archivers there are. */
export class MySqlOverview implements StatusQueries {
  private readonly db: Kysely<ControlTables>
  private readonly table: string
  private readonly names: ReturnType<typeof controlTableNames>

  constructor(connection: Connection, table: string) {
    this.db = controlQueries(connection)
    this.table = table
    this.names = controlTableNames(table)
  }

  /** Three queries. @throws ArchiverError */
  async look(): Promise<Overview> {
    const archivers = await this.try('reading the marks', () => this.archivers())
    return { archivers, newest: await this.try('looking for the newest row', () => this.newest()) }
  }

  /**
   * How long the oldest row behind each mark has been waiting, in milliseconds, by its own time and the server's clock;
   * null for a time that is none. One query; archivers behind whose marks there is no row are left out.
   */
  async oldestWaiting(
    marks: readonly Pick<ArchiverStatus, 'archiver' | 'mark'>[],
  ): Promise<Map<string, number | null>> {
    if (marks.length === 0) return new Map()
    const parts = marks.map(
      ({ archiver, mark }) => sql`(
        select ${archiver} as archiver, timestampdiff(microsecond, ts, utc_timestamp(6)) / 1000 as age_ms
        from ${sql.table(this.table)} where id > ${mark ?? 0n} order by id limit 1)`,
    )
    const { rows } = await this.try('looking for the oldest rows that wait', () =>
      sql<{ archiver: string; age_ms: string | null }>`${sql.join(parts, sql` union all `)}`.execute(this.db),
    )
    return new Map(rows.map(({ archiver, age_ms }) => [archiver, age_ms === null ? null : Math.max(0, Number(age_ms))]))
  }

  /** The last finished batch of each archiver. One query. */
  async lastBatches(archivers: readonly string[]): Promise<Map<string, FinishedBatch>> {
    if (archivers.length === 0) return new Map()
    const parts = archivers.map(
      (archiver) => sql`(
        select archiver, id, row_count, bytes, identity, timestampdiff(microsecond, planned_on, done_on) / 1000 as elapsed_ms,
          timestampdiff(microsecond, '1970-01-01', done_on) / 1000 as done_ms
        from ${sql.table(this.names.batch)} where archiver = ${archiver} and state = 'done' order by last_id desc limit 1)`,
    )
    const { rows } = await this.try('looking for the last batches', () =>
      sql<LastBatchRow>`${sql.join(parts, sql` union all `)}`.execute(this.db).catch(noneWithoutTable),
    )
    return new Map(
      rows.map((row) => [
        row.archiver,
        {
          id: BigInt(row.id),
          rows: Number(row.row_count),
          bytes: Number(row.bytes),
          identity: row.identity ?? '',
          elapsedMs: Number(row.elapsed_ms),
          doneAtMs: Number(row.done_ms),
        },
      ]),
    )
  }

  /** How many rows an operator has taken out for each archiver; those without any are left out. One query. */
  async skippedRows(): Promise<Map<string, number>> {
    const { rows } = await this.try('counting the skipped rows', () =>
      sql<{ archiver: string; skipped: number }>`
        select archiver, count(*) as skipped from ${sql.table(this.names.skip)} group by archiver`
        .execute(this.db)
        .catch(noneWithoutTable),
    )
    return new Map(rows.map(({ archiver, skipped }) => [archiver, Number(skipped)]))
  }

  /** The time of the row with the lowest id, in seconds since 1970 UTC; null where there is none. */
  async oldestTsSeconds(): Promise<number | null> {
    const { rows } = await this.try('looking for the oldest row', () =>
      sql<{ ts: string | number | null }>`
        select to_seconds(ts) - ${SECONDS_TO_1970} as ts from ${sql.table(this.table)} order by id limit 1`.execute(
        this.db,
      ),
    )
    const ts = rows[0]?.ts ?? null
    return ts === null ? null : Number(ts)
  }

  /**
   * What an operator should know of the table: rows that no mark can pass, and columns that no archive keeps. Two queries.
   *
   * @param acknowledged - columns that may be lost.
   */
  async tableWarnings(acknowledged: Acknowledged = []): Promise<readonly TableWarning[]> {
    const low = await this.try('looking for low ids', () =>
      sql<LowIds>`select count(*) as low_rows, min(id) as first_id from ${sql.table(this.table)} where id <= 0`.execute(
        this.db,
      ),
    )
    const { low_rows: rows = 0, first_id: id = null } = low.rows[0] ?? {}
    const names =
      acknowledged === 'ok' ? [] : (await this.unknownColumns()).filter((name) => !acknowledged.includes(name))
    const columns = names.map((name) => unknownColumnWarning(this.table, name))
    return id === null ? columns : [lowIdWarning(this.table, Number(rows), BigInt(id)), ...columns]
  }

  private async unknownColumns(): Promise<readonly string[]> {
    const { rows } = await this.try('looking at the columns', () =>
      sql<{ Field: string; Type: string; Extra: string }>`show columns from ${sql.table(this.table)}`.execute(this.db),
    )
    return unknownColumns(rows.map(({ Field: name, Type: type, Extra: extra }) => ({ name, type, extra })))
  }

  private async archivers(): Promise<OverviewRow[]> {
    const { rows } = await sql<StatusRow>`
      select archiver, log_score_id, timestampdiff(microsecond, modified_on, now(6)) / 1000 as age_ms
      from ${sql.table(this.names.status)} order by log_score_id, modified_on`.execute(this.db)
    const unfinished = await this.unfinished(rows.map(({ archiver }) => archiver))
    return rows.map(({ archiver, log_score_id: mark, age_ms }) => ({
      archiver,
      mark: mark === null ? null : BigInt(mark),
      ageMs: Number(age_ms),
      unfinished: unfinished.has(archiver),
    }))
  }

  /** Those with a planned batch. Not by a join: the two tables may have different collations. */
  private async unfinished(archivers: readonly string[]): Promise<ReadonlySet<string>> {
    if (archivers.length === 0) return new Set()
    const { rows } = await sql<{ archiver: string }>`
      select archiver from ${sql.table(this.names.batch)} where archiver in (${sql.join(archivers)}) and open = 1`
      .execute(this.db)
      // Before the first pass there is no batch table.
      .catch(noneWithoutTable)
    return new Set(rows.map(({ archiver }) => archiver))
  }

  private async newest(): Promise<NewestSourceRow | null> {
    const { rows } = await sql<{ id: number | string; ts: string | number | null }>`
      select id, to_seconds(ts) - ${SECONDS_TO_1970} as ts from ${sql.table(this.table)} order by id desc limit 1`.execute(
      this.db,
    )
    const row = rows[0]
    return row === undefined ? null : { id: BigInt(row.id), tsSeconds: row.ts === null ? null : Number(row.ts) }
  }

  private async try<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw controlError(error, doing, this.table)
    }
  }
}

function noneWithoutTable(error: unknown): { readonly rows: [] } {
  if (isMissingTable(error)) return { rows: [] }
  throw error
}

interface StatusRow {
  readonly archiver: string
  readonly log_score_id: number | string | null
  readonly age_ms: string | number
}

interface LowIds {
  readonly low_rows: number | string
  readonly first_id: number | string | null
}

interface LastBatchRow {
  readonly archiver: string
  readonly id: number | string
  readonly row_count: number | string
  readonly bytes: number | string
  readonly identity: string | null
  readonly elapsed_ms: string | number
  readonly done_ms: string | number
}
