import type { Connection } from 'mysql2/promise'

export interface PoolTables {
  /** Default `log_scores`. */
  readonly table?: string
  /** Stands before the names `servers`, `monitors` and `scorer_status`. Default empty. */
  readonly prefix?: string
  /** Ids of servers, from 1. */
  readonly servers: number
  /** Ids of monitors. */
  readonly monitors: readonly number[]
}

/**
 * Gives a source table the foreign keys of the NTP Pool: `server_id` cascades, so that the rows of a server vanish with it;
 * `monitor_id` and `scorer_status.log_score_id` do not. The tables that they refer to get the ids that are named.
 */
export async function addPoolTables(connection: Connection, options: PoolTables): Promise<void> {
  const { table = 'log_scores', prefix = '', servers, monitors } = options
  const form = 'engine=InnoDB default charset=utf8mb3'
  const statements = [
    `create table \`${prefix}servers\` (id int unsigned not null auto_increment primary key) ${form}`,
    `create table \`${prefix}monitors\` (id int unsigned not null auto_increment primary key) ${form}`,
    `create table \`${prefix}scorer_status\` (
      id int unsigned not null auto_increment primary key,
      scorer_id int unsigned not null,
      log_score_id bigint unsigned not null,
      modified_on timestamp not null default current_timestamp on update current_timestamp,
      constraint \`${prefix}scorer_log_score_id\` foreign key (log_score_id) references \`${table}\` (id)
    ) ${form}`,
    `insert into \`${prefix}servers\` (id) values ${idsUpTo(servers).join(',')}`,
    `insert into \`${prefix}monitors\` (id) values ${monitors.map((id) => `(${id})`).join(',')}`,
    `alter table \`${table}\`
      add constraint \`${prefix}log_scores_server\` foreign key (server_id) references \`${prefix}servers\` (id) on delete cascade,
      add constraint \`${prefix}log_score_monitor\` foreign key (monitor_id) references \`${prefix}monitors\` (id)`,
  ]
  for (const statement of statements) await connection.query(statement)
}

/** Removes what {@link addPoolTables} made; to be called before the source table is dropped. */
export async function dropPoolTables(
  connection: Connection,
  { table = 'log_scores', prefix = '' } = {},
): Promise<void> {
  await connection.query(`alter table \`${table}\` drop foreign key \`${prefix}log_scores_server\`,
    drop foreign key \`${prefix}log_score_monitor\``)
  for (const name of ['scorer_status', 'servers', 'monitors']) await connection.query(`drop table \`${prefix}${name}\``)
}

function idsUpTo(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `(${i + 1})`)
}
