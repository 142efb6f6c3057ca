import {
  type CataloguedBatch,
  CLEANUP,
  type CleanupMarks,
  type CleanupSource,
  type DeletionOutcome,
  type IdRange,
  type LastRun,
  lowerId,
  RANGE_IDS,
  type RangeDeletion,
  type ReplicaChoice,
  type ServerLoad,
  type Slice,
  type WatchedReplica,
} from '@archiver/core'
import type { SourceDigest } from '@archiver/core/reconcile'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Connection } from 'mysql2'
import { HOLD } from '../cleanup-hold.js'
import { unknownColumns } from '../columns.js'
import { statementError } from '../mysql-errors.js'
import type { MySqlSettings } from '../settings.js'
import { type ControlTables, controlQueries, controlTableNames } from '../tables.js'
import { deleteSlice } from './delete-range.js'
import { rangeDigest, type Select } from './range-digest.js'
import { findReferences, isHeldByAny, type Reference } from './references.js'
import { watchedReplicas } from './replicas.js'
import { RunRecords } from './run-records.js'
import { FlowControl, readStatus } from './server-load.js'
import { type DigestRow, digestColumns, inRange, isOld, isSoon, ODD, toDigest, whole } from './statements.js'
import type { DeletableTable, DeletedRange, Queries } from './table-statements.js'

/** A slice is about to be deleted, is deleted and not committed, is committed. */
declare module '@archiver/core' {
  interface FaultPoints {
    'cleanup.before': true
    'cleanup.deleted': true
    'cleanup.after': true
  }
}

export interface MySqlCleanupOptions {
  /** The lock's. */
  readonly connection: Connection
  /** How the source is reached; the replicas are reached likewise. */
  readonly settings: MySqlSettings
  readonly table: string
}

/** The statements of the cleaner, over the lock's connection. */
export class MySqlCleanupSource implements CleanupSource, DeletableTable {
  readonly db: Kysely<ControlTables>
  readonly name: string
  readonly names: ReturnType<typeof controlTableNames>
  /** Foreign keys that keep rows from being deleted; as {@link lookForReferences} has found them. */
  references: readonly Reference[] = []
  private hasAttributes = true
  private readonly connection: Connection
  private readonly settings: MySqlSettings
  private readonly flowControl = new FlowControl()
  private readonly records = new RunRecords(this)

  constructor({ connection, settings, table }: MySqlCleanupOptions) {
    this.connection = connection
    this.settings = settings
    this.db = controlQueries(connection)
    this.name = table
    this.names = controlTableNames(table)
  }

  lastRun(): Promise<LastRun> {
    return this.records.lastRun()
  }

  clearOwnMark(): Promise<void> {
    return this.records.clearOwnMark()
  }

  file(queries: Queries, recordId: bigint | null, range: DeletedRange): Promise<bigint> {
    return this.records.file(queries, recordId, range)
  }

  stamp(recordId: bigint | null, full: boolean): Promise<void> {
    return this.records.stamp(recordId, full)
  }

  async lookForReferences(): Promise<void> {
    this.references = await findReferences(this)
  }

  isDeletable(cutoff: string): RawBuilder<boolean> {
    return this.references.length === 0
      ? isOld(cutoff)
      : sql`(${isOld(cutoff)} and not ${isHeldByAny(this.references)})`
  }

  async cutoff(retentionDays: number): Promise<string> {
    const statement = sql<{ cutoff: string }>`select utc_timestamp() - interval ${retentionDays} day as cutoff`
    const { rows } = await this.try('asking for the time', () => statement.execute(this.db))
    return rows[0]!.cutoff
  }

  deleteSlice<B>(slice: Slice, deletion: RangeDeletion<B>): Promise<DeletionOutcome<B>> {
    return deleteSlice(this, slice, deletion)
  }

  async load(): Promise<ServerLoad> {
    const status = await this.try('looking at the load', () => readStatus(this.connection))
    const pausedShare = this.flowControl.share(status, performance.now())
    return { runningStatements: Number(status.get('threads_running') ?? 0), pausedShare }
  }

  replicas(choice: ReplicaChoice): Promise<readonly WatchedReplica[] | string> {
    return watchedReplicas(this.connection, this.settings, choice)
  }

  marks(): Promise<CleanupMarks> {
    return this.marksIn(this.db, sql``)
  }

  async marksIn(queries: Queries, lock: RawBuilder<unknown>): Promise<CleanupMarks> {
    return this.try('reading the marks', async () => {
      const status = sql.table(this.names.status)
      const marks = await sql<MarkRow>`select archiver, log_score_id from ${status} ${lock}`.execute(queries)
      const planned = await queries
        .selectFrom(this.names.batch)
        .select(['archiver', 'after_id', 'identity'])
        .where('state', '=', 'planned')
        .execute()
      const clock = await sql<{ us: number }>`
        select timestampdiff(microsecond, '1970-01-01', utc_timestamp(6)) as us`.execute(queries)
      return {
        marks: marks.rows
          .filter(({ archiver }) => archiver !== CLEANUP)
          .map(({ archiver, log_score_id: id }) => ({ archiver, mark: id === null ? null : BigInt(id) })),
        unfinished: planned
          .filter(({ archiver }) => archiver !== HOLD)
          .map(({ archiver, after_id }) => ({ archiver, afterId: BigInt(after_id) })),
        hold: holdOf(planned),
        serverMs: Number(clock.rows[0]?.us ?? Number.NaN) / 1000,
      }
    })
  }

  async firstId(afterId: bigint, belowId: bigint): Promise<bigint | null> {
    const { rows } = await this.try('looking for the first row', () =>
      sql<{ id: number | string | null }>`
        select min(id) as id from ${this.table} where id > ${afterId} and id < ${belowId}`.execute(this.db),
    )
    const id = rows[0]?.id ?? null
    return id === null ? null : BigInt(id)
  }

  async slices(range: IdRange, cutoff: string): Promise<Slice[]> {
    const first = range.afterId + 1n
    const kept = this.references.map(
      ({ isHeld }, i) => sql`, sum(${isOld(cutoff)} and ${isHeld}) as ${sql.id(`kept_${i}`)}`,
    )
    const keptByAny = sql`${isOld(cutoff)} and ${isHeldByAny(this.references)}`
    const { rows } = await this.try('looking for old rows', () =>
      sql<SliceRow>`
        select (id - ${first}) div ${RANGE_IDS} as slice, ${digestColumns},
          sum(${this.isDeletable(cutoff)}) as old_rows, sum(${keptByAny}) as kept_rows${sql.join(kept, sql``)},
          sum(${ODD}) as odd_rows, min(if(${isSoon(cutoff)}, id, null)) as soon_id
        from ${this.table} force index (primary) where ${inRange(range)} group by slice order by slice`.execute(
        this.db,
      ),
    )
    return rows.map((row) => {
      const afterId = range.afterId + whole(row.slice) * RANGE_IDS
      const upToId = lowerId(afterId + RANGE_IDS, range.upToId)
      const soonId = row.soon_id === null ? null : whole(row.soon_id)
      const [oldRows, keptRows, oddRows] = [Number(row.old_rows), Number(row.kept_rows), Number(row.odd_rows)]
      const keptFor = this.references.map((_, i) => Number(row[`kept_${i}`]))
      return { afterId, upToId, digest: toDigest(row), oldRows, keptRows, keptFor, oddRows, soonId }
    })
  }

  async unknownColumns(): Promise<readonly string[]> {
    const { rows } = await this.try('looking at the columns', () =>
      sql<{ Field: string; Type: string; Extra: string }>`show columns from ${this.table}`.execute(this.db),
    )
    this.hasAttributes = rows.some(({ Field: name }) => name.toLowerCase() === 'attributes')
    return unknownColumns(rows.map(({ Field: name, Type: type, Extra: extra }) => ({ name, type, extra })))
  }

  async attributes(range: IdRange, cutoff: string): Promise<readonly { readonly id: bigint; readonly text: string }[]> {
    if (!this.hasAttributes) return []
    const { rows } = await this.try('looking at the attributes', () =>
      sql<{ id: number | string; text: string | Buffer }>`
        select id, attributes as text from ${this.table} force index (primary)
        where ${inRange(range)} and ${isOld(cutoff)} and attributes is not null`.execute(this.db),
    )
    return rows.map(({ id, text }) => ({ id: BigInt(id), text: text.toString() }))
  }

  digest(range: IdRange, without: readonly bigint[]): Promise<SourceDigest> {
    const select: Select = async (statement, doing) => (await this.try(doing, () => statement.execute(this.db))).rows
    return rangeDigest(select, this.table, range, without)
  }

  async oddIds(range: IdRange): Promise<bigint[]> {
    const { rows } = await this.try('looking for odd rows', () =>
      sql<{ id: number | string }>`
        select id from ${this.table} force index (primary) where ${inRange(range)} and ${ODD} order by id`.execute(
        this.db,
      ),
    )
    return rows.map(({ id }) => BigInt(id))
  }

  async batches(archiver: string, { afterId, upToId }: IdRange): Promise<readonly CataloguedBatch[]> {
    const rows = await this.try('reading the catalogue', () =>
      this.db
        .selectFrom(this.names.batch)
        .select(['first_id', 'last_id', 'identity'])
        .where('archiver', '=', archiver)
        .where('state', '=', 'done')
        .where('last_id', '>', afterId)
        .where('first_id', '<=', upToId)
        .execute(),
    )
    return rows.flatMap(({ first_id, last_id, identity }) =>
      last_id === null || identity === null
        ? []
        : [{ afterId: BigInt(first_id) - 1n, upToId: BigInt(last_id), identity }],
    )
  }

  get table(): RawBuilder<unknown> {
    return sql.table(this.name)
  }

  readonly try = async <T>(doing: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw statementError(error, doing, { archiver: CLEANUP, table: this.name })
    }
  }
}

/** Why the cleaner is held up. */
function holdOf(planned: readonly { readonly archiver: string; readonly identity: string | null }[]): string | null {
  const hold = planned.find(({ archiver }) => archiver === HOLD)
  return hold === undefined ? null : (hold.identity ?? 'a restore')
}

interface MarkRow {
  readonly archiver: string
  readonly log_score_id: number | string | null
}

interface SliceRow extends DigestRow {
  readonly slice: number | string
  readonly old_rows: number | string
  readonly kept_rows: number | string
  readonly [kept: `kept_${number}`]: number | string
  readonly odd_rows: number | string
  readonly soon_id: number | string | null
}
