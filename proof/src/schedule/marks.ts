import type { Connection, RowDataPacket } from 'mysql2/promise'
import { type IdRange, isWithin } from '../compare.js'
import { FIT } from './unfit-rows.js'

/** The row that the mark would point to is not there any more. */
const NO_SUCH_ROW = 1452

/** The marks of a schedule's archivers, and what has been done to them by hand. */
export class Marks {
  readonly #connection: Connection
  readonly #table: string
  readonly #log: string[]
  readonly #elsewhere = new Map<string, IdRange[]>()

  constructor(connection: Connection, table: string, log: string[]) {
    this.#connection = connection
    this.#table = table
    this.#log = log
  }

  /** By hand, as an operator does it with SQL. A mark that goes forward says: what it passes is stored elsewhere. */
  async move(percent: number): Promise<void> {
    const ids = await this.#ids()
    const to = percent === 0 || ids.length === 0 ? null : ids[Math.floor((percent / 100) * (ids.length - 1))]!
    for (const [archiver, from] of await this.#all()) {
      if (!(await this.#set(archiver, to))) continue
      this.#log.push(`mark of ${archiver} from ${from} to ${to}`)
      const ranges = this.#elsewhere.get(archiver) ?? []
      if ((to ?? 0n) > from) this.#elsewhere.set(archiver, [...ranges, { afterId: from, upToId: to ?? 0n }])
    }
  }

  /** Whether a mark was moved over this row. */
  isElsewhere(archiver: string, id: bigint): boolean {
    return isWithin(this.#elsewhere.get(archiver) ?? [], id)
  }

  /** The id of the newest row that an archive can hold. */
  async newest(): Promise<bigint> {
    return (await this.#ids(FIT)).at(-1) ?? 0n
  }

  /** The marks that are not at this row, or at one after it that no archive can hold. */
  async behind(newest: bigint): Promise<string[]> {
    const wrong = [...(await this.#all())].filter(([, mark]) => mark < newest)
    return wrong.map(([archiver, mark]) => `the mark of ${archiver} is ${mark}, the newest row ${newest}`)
  }

  async #set(archiver: string, to: bigint | null): Promise<boolean> {
    try {
      const sql = `update \`${this.#table}_archive_status\` set log_score_id = ? where archiver = ?`
      await this.#connection.query(sql, [to, archiver])
      return true
    } catch (error) {
      if ((error as { errno?: number }).errno === NO_SUCH_ROW) return false // deleted meanwhile
      throw error
    }
  }

  async #all(): Promise<Map<string, bigint>> {
    const sql = `select archiver, coalesce(log_score_id, 0) mark from \`${this.#table}_archive_status\`
      where archiver <> 'cleanup'`
    const [rows] = await this.#connection.query<RowDataPacket[]>(sql)
    return new Map(rows.map((row) => [row.archiver, BigInt(row.mark)]))
  }

  async #ids(where = 'true'): Promise<bigint[]> {
    const sql = `select id from \`${this.#table}\` where ${where} order by id`
    const [rows] = await this.#connection.query<RowDataPacket[]>(sql)
    return rows.map((row) => BigInt(row.id))
  }
}
