import type { LogScore } from '@archiver/core'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import type { DeletionTimes } from '../catalogue.js'
import { sourceRows } from '../rows.js'
import { FIT } from './unfit-rows.js'

/** `retention_days`, in all runs. */
export const RETENTION_DAYS = 14

/**
 * What is deleted from a table, noted by the server itself within the transaction that deletes: the row, the time, the lowest
 * mark and the start of an unfinished batch as they were then.
 */
export class Deletions {
  readonly #connection: Connection
  readonly #table: string

  private constructor(connection: Connection, table: string) {
    this.#connection = connection
    this.#table = table
  }

  static async watch(connection: Connection, table: string): Promise<Deletions> {
    await connection.query(`create table \`${table}_deleted\` like \`${table}\``)
    await connection.query(
      `alter table \`${table}_deleted\` add deleted_on datetime(6), add mark bigint unsigned, add planned bigint unsigned`,
    )
    await connection.query(`create trigger \`${table}_note\` before delete on \`${table}\` for each row
      insert into \`${table}_deleted\` values (old.id, old.monitor_id, old.server_id, old.ts, old.score, old.step,
        old.\`offset\`, old.rtt, old.attributes, utc_timestamp(6),
        (select min(coalesce(log_score_id, 0)) from \`${table}_archive_status\` where archiver <> 'cleanup'),
        (select min(after_id) from \`${table}_archive_batch\` where state = 'planned'))`)
    return new Deletions(connection, table)
  }

  /** The rows that were deleted, by id. */
  rows(): Promise<LogScore[]> {
    return sourceRows(this.#connection, `${this.#table}_deleted`, FIT)
  }

  /** When each row was deleted. */
  async times(): Promise<DeletionTimes> {
    const [rows] = await this.#connection.query<RowDataPacket[]>(
      `select id, timestampdiff(microsecond, '1970-01-01', deleted_on) as at_us from \`${this.#table}_deleted\``,
    )
    return new Map(rows.map(({ id, at_us }) => [BigInt(id), BigInt(at_us)]))
  }

  /** Rows that should not have been deleted when they were. */
  async problems(): Promise<string[]> {
    const [rows] = await this.#connection.query<RowDataPacket[]>(
      `select id, if(ts >= deleted_on - interval ? day, 'young', concat('not below ', coalesce(least(mark, planned + 1), mark)))
        as why
      from \`${this.#table}_deleted\`
      where ts >= deleted_on - interval ? day or mark is null or id >= mark or id > planned order by id limit 9`,
      [RETENTION_DAYS, RETENTION_DAYS],
    )
    return rows.map(({ id, why }) => `row ${id} was deleted, ${why}`)
  }

  /** Rows that are old, below the newest, and still there though nothing refers to them. */
  async due(): Promise<string[]> {
    const [rows] = await this.#connection.query<RowDataPacket[]>(
      `select id from \`${this.#table}\` where ts < utc_timestamp() - interval ? day
        and ${FIT} and id < (select max(id) from \`${this.#table}\` where ${FIT})
        and id not in (select log_score_id from \`${this.#table}_scorer_status\`) order by id limit 9`,
      [RETENTION_DAYS],
    )
    return rows.map(({ id }) => `row ${id} is old and was not deleted`)
  }

  async end(): Promise<void> {
    await this.#connection.query(`drop table \`${this.#table}_deleted\``)
  }
}
