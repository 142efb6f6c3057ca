import type { Connection } from 'mysql2/promise'

export interface SourceTables {
  /** Default `log_scores`. */
  readonly table?: string
  /** Names that get a row in the status table, with no mark. Default none. */
  readonly archivers?: readonly string[]
  /** As in old tables. */
  readonly withoutRtt?: boolean
  /** As in old tables. */
  readonly withoutAttributes?: boolean
}

/** Creates the source table and its status table as the NTP Pool has them. */
export async function createSourceTables(connection: Connection, options: SourceTables = {}): Promise<void> {
  const { table = 'log_scores', archivers = [] } = options
  await connection.query(sourceTable(table, options))
  await connection.query(`create table \`${table}_archive_status\` (
    id int unsigned not null auto_increment primary key,
    archiver varchar(255) not null,
    log_score_id bigint unsigned null,
    modified_on timestamp not null default current_timestamp on update current_timestamp,
    unique key archiver (archiver),
    foreign key (log_score_id) references \`${table}\` (id)
  ) engine=InnoDB default charset=utf8mb4`)
  for (const archiver of archivers) {
    await connection.query(`insert into \`${table}_archive_status\` (archiver) values (?)`, [archiver])
  }
}

function sourceTable(table: string, { withoutRtt, withoutAttributes }: SourceTables): string {
  return `create table \`${table}\` (
    id bigint unsigned not null auto_increment primary key,
    monitor_id int unsigned null,
    server_id int unsigned not null,
    ts datetime not null,
    score double not null default 0,
    step double not null default 0,
    \`offset\` double null,
    ${withoutRtt ? '' : 'rtt mediumint null,'}
    ${withoutAttributes ? '' : 'attributes text null,'}
    key server_id (server_id, ts),
    key ts (ts),
    key monitor_id (monitor_id)
  ) engine=InnoDB default charset=utf8mb4`
}

/** Removes what {@link createSourceTables} made, and our own tables beside them. Missing tables are no error. */
export async function dropTables(connection: Connection, table = 'log_scores'): Promise<void> {
  for (const name of [`${table}_archive_skip`, `${table}_archive_batch`, `${table}_archive_status`, table]) {
    await connection.query(`drop table if exists \`${name}\``)
  }
}

/** Takes the secondary keys off a source table; {@link addKeys} brings them back. */
export async function dropKeys(connection: Connection, table: string): Promise<void> {
  await connection.query(`alter table \`${table}\` drop key server_id, drop key ts, drop key monitor_id`)
}

/** Builds the secondary keys of a source table. */
export async function addKeys(connection: Connection, table: string): Promise<void> {
  const keys = 'add key server_id (server_id, ts), add key ts (ts), add key monitor_id (monitor_id)'
  await connection.query(`alter table \`${table}\` ${keys}`)
}
