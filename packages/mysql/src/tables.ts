import { type ColumnType, type Generated, Kysely, MysqlDialect } from 'kysely'
import type { Connection } from 'mysql2'
import { ConnectionLine } from './connection-line.js'

/** An id: read as a number, or as a string beyond 2^53-1. Write a bigint: MySQL compares strings as doubles. */
type Id = number | string | bigint

/** `T_archive_status`: one row for each archiver that is turned on. */
export interface StatusTable {
  id: Generated<number>
  archiver: string
  log_score_id: Id | null
  modified_on: ColumnType<string, never, unknown>
}

/**
 * planned: in hand, or left by a crash · done: stored and marked · superseded: given up, since another program moved the
 * mark past its start · foreign: no batch of ours, but rows that another program stored · moved: no batch, but an
 * operator who moved the mark from `after_id` to `up_to_id`, for the reason in `identity`
 */
export type BatchState = 'planned' | 'done' | 'superseded' | 'foreign' | 'moved'

/** `T_archive_batch`: what was planned and what was stored. See {@link batchTableSql} for the columns. */
export interface BatchTable {
  id: Generated<Id>
  archiver: string
  state: BatchState
  after_id: Id
  first_id: Id
  up_to_id: Id
  last_id: Id | null
  row_count: number | null
  min_ts: number | null
  max_ts: number | null
  id_hash: Buffer | null
  bytes: number | null
  identity: string | null
  host: string
  done_on: ColumnType<string | null, never, unknown>
}

/** `T_archive_skip`: rows that an operator has taken out for one archiver. */
export interface SkipTable {
  id: Generated<number>
  archiver: string
  row_id: Id
  reason: string
  /** The row in full, as JSON. */
  row_json: string
  skipped_by: string
}

export interface ControlTables {
  status: StatusTable
  batch: BatchTable
  skip: SkipTable
}

/** A name as SQL takes it. */
export function quoteName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}

/** The names of the tables beside `table`. Kysely's types know tables by fixed names; ours are chosen at run time. */
export function controlTableNames(table: string): { readonly [name in keyof ControlTables]: name } {
  return {
    status: `${table}_archive_status` as 'status',
    batch: `${table}_archive_batch` as 'batch',
    skip: `${table}_archive_skip` as 'skip',
  }
}

/**
 * Creates the batch table. `open` is 1 for a planned batch and NULL otherwise, so that the unique key allows an archiver
 * one planned batch and any number of finished ones.
 */
export function batchTableSql(table: string): string {
  return `create table if not exists \`${controlTableNames(table).batch}\` (
  id bigint unsigned not null auto_increment primary key,
  archiver varchar(255) not null,
  state enum('planned', 'done', 'superseded', 'foreign', 'moved') not null default 'planned',
  open tinyint as (if(state = 'planned', 1, null)) stored,
  after_id bigint unsigned not null comment 'exclusive; the mark before this batch',
  first_id bigint unsigned not null comment 'planned: no row has a lower id; done: the first row',
  up_to_id bigint unsigned not null comment 'inclusive',
  last_id bigint unsigned null comment 'the last row, and the mark after this batch',
  row_count bigint unsigned null,
  min_ts bigint null comment 'seconds since 1970 UTC',
  max_ts bigint null comment 'seconds since 1970 UTC',
  id_hash binary(32) null comment 'SHA-256 over the ids, 8 bytes each, little-endian, ascending',
  bytes bigint unsigned null,
  identity varchar(1024) null comment 'file, object, job or query id',
  host varchar(255) not null,
  planned_on timestamp(3) not null default current_timestamp(3),
  done_on timestamp(3) null default null,
  unique key one_planned (archiver, open),
  key archiver_range (archiver, last_id)
) engine=InnoDB default charset=utf8mb4`
}

/** Creates the table of skipped rows. */
export function skipTableSql(table: string): string {
  return `create table if not exists ${quoteName(controlTableNames(table).skip)} (
  id int unsigned not null auto_increment primary key,
  archiver varchar(255) not null,
  row_id bigint unsigned not null,
  reason text not null,
  row_json longtext not null comment 'the row in full',
  skipped_by varchar(255) not null,
  skipped_on timestamp not null default current_timestamp,
  unique key archiver_row (archiver, row_id)
) engine=InnoDB default charset=utf8mb4`
}

/**
 * Creates the status table, as the Go program's own migration does.
 *
 * @param foreignKey - false for a source table that no foreign key can refer to.
 */
export function statusTableSql(table: string, foreignKey = true): string {
  return `create table if not exists \`${controlTableNames(table).status}\` (
  id int unsigned not null auto_increment primary key,
  archiver varchar(255) not null,
  log_score_id bigint unsigned null,
  modified_on timestamp not null default current_timestamp on update current_timestamp,
  unique key archiver (archiver),
  key log_score_id (log_score_id)${foreignKey ? `,\n  foreign key (log_score_id) references ${quoteName(table)} (id)` : ''}
) engine=InnoDB default charset=utf8mb4`
}

/**
 * Builds and runs the control queries on one connection that it never closes. All that is built for the same connection
 * takes turns: a transaction has it to itself until it ends, so that no statement of another gets into it.
 */
export function controlQueries(connection: Connection): Kysely<ControlTables> {
  const line = ConnectionLine.of(connection)
  const pooled = {
    threadId: connection.threadId,
    query: (sql: string, values: readonly ExecuteValue[], done: QueryCallback) => send(connection, sql, values, done),
    release: () => line.leave(),
  }
  return new Kysely<ControlTables>({
    // Kysely wants a pool: ours always hands out the same connection. Its types want the driver's own pool class.
    dialect: new MysqlDialect({
      pool: {
        getConnection: (callback: (error: unknown, connection: never) => void) =>
          line.enter(() => callback(null, pooled as never)),
        end: (callback: (error: unknown) => void) => callback(null),
      },
    }),
  })
}

type ExecuteValue = string | number | bigint | boolean | Buffer | null
type QueryCallback = NonNullable<Parameters<Connection['query']>[2]>

/** Values go as parameters of a prepared statement, so that no SQL mode or character set can make SQL of them. */
function send(connection: Connection, sql: string, values: readonly ExecuteValue[], done: QueryCallback): void {
  if (values.length === 0) connection.query(sql, done)
  else connection.execute(sql, [...values], done)
}
