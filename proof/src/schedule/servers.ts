import type { LogScore } from '@archiver/core'
import { addPoolTables, dropPoolTables } from '@archiver/testkit'
import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2/promise'
import type { DeletionTimes } from '../catalogue.js'
import { RECENT_MEDIAN, sourceRows } from '../rows.js'
import type { Dice } from './random.js'
import { FIT, UNFIT_MONITOR } from './unfit-rows.js'

/** The servers of a schedule: few, so that each has rows in every batch. */
export const SERVERS = 7
const MONITORS = RECENT_MEDIAN

/**
 * What keeps a server from being deleted: a mark or a scorer points to one of its rows, a transaction that is open has its
 * rows, or a deadlock.
 */
const REFUSALS: ReadonlySet<unknown> = new Set([1451, 1205, 1213, 3572])

/** Deletes servers as their owners do: all their rows vanish with them, archived or not. */
export class Servers {
  readonly #connection: Connection
  readonly #table: string
  readonly #log: string[]

  private constructor(connection: Connection, table: string, log: string[]) {
    this.#connection = connection
    this.#table = table
    this.#log = log
  }

  /** Gives the table the pool's foreign keys. */
  static async create(connection: Connection, table: string, log: string[]): Promise<Servers> {
    const monitors = [...Array.from({ length: MONITORS }, (_, i) => i + 1), UNFIT_MONITOR]
    await addPoolTables(connection, { table, prefix: `${table}_`, servers: SERVERS, monitors })
    await connection.query(`create table \`${table}_gone\` like \`${table}\``)
    await connection.query(`alter table \`${table}_gone\` add deleted_on datetime(6)`)
    await connection.query('set session innodb_lock_wait_timeout = 1')
    return new Servers(connection, table, log)
  }

  /** Deletes one of them, unless that is refused. Its id is taken again at once. */
  async deleteOne(dice: Dice): Promise<void> {
    const [id, table] = [dice.between(1, SERVERS), this.#table]
    await this.#connection.beginTransaction()
    try {
      await this.#connection.query(`select id from \`${table}_servers\` where id = ? for update nowait`, [id])
      const [{ affectedRows }] = await this.#connection.query<ResultSetHeader>(
        `insert into \`${table}_gone\` select *, utc_timestamp(6) from \`${table}\` where server_id = ? for update`,
        [id],
      )
      await this.#connection.query(`delete from \`${table}_servers\` where id = ?`, [id])
      await this.#connection.query(`insert into \`${table}_servers\` (id) values (?)`, [id])
      await this.#connection.commit()
      this.#log.push(`server ${id} was deleted with ${affectedRows} rows`)
    } catch (error) {
      await this.#connection.rollback()
      const { errno } = error as { errno?: number } // an error of the driver's, or one without
      if (!REFUSALS.has(errno)) throw error
      this.#log.push(`server ${id} was not deleted: ${errno}`)
    }
  }

  /** Lets a scorer point to any row. It is a scorer that was retired: it points there for ever. */
  async pointToRow(dice: Dice): Promise<void> {
    const percent = dice.between(0, 100)
    const [rows] = await this.#connection.query<RowDataPacket[]>(`select id from \`${this.#table}\` order by id`)
    const id = rows[Math.floor((percent / 100) * (rows.length - 1))]?.id
    if (id === undefined) return
    const sql = `insert ignore into \`${this.#table}_scorer_status\` (scorer_id, log_score_id) values (1, ?)`
    await this.#connection.query(sql, [id])
    this.#log.push(`a scorer points to row ${id}`)
  }

  /** The rows that vanished with their servers, by id. */
  rows(): Promise<LogScore[]> {
    return sourceRows(this.#connection, `${this.#table}_gone`, FIT)
  }

  /** When each of them vanished. */
  async times(): Promise<DeletionTimes> {
    const [rows] = await this.#connection.query<RowDataPacket[]>(
      `select id, timestampdiff(microsecond, '1970-01-01', deleted_on) as at_us from \`${this.#table}_gone\``,
    )
    return new Map(rows.map(({ id, at_us }) => [BigInt(id), BigInt(at_us)]))
  }

  async drop(): Promise<void> {
    await dropPoolTables(this.#connection, { table: this.#table, prefix: `${this.#table}_` })
    await this.#connection.query(`drop table \`${this.#table}_gone\``)
  }
}
