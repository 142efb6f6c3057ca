import { skipTableSql } from '@archiver/core/mysql'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { Dice } from './random.js'
import type { Schedule } from './schedule.js'

/** The monitor of rows that no archive can hold, as long as nobody has corrected them. */
export const UNFIT_MONITOR = 999_999

/** The condition for all other rows. */
export const FIT = `(monitor_id is null or monitor_id <> ${UNFIT_MONITOR})`

/** What makes a row unfit: the first five in any chunk, the last in every archive. */
const KINDS: readonly Readonly<Partial<Record<'attributes' | 'ts' | 'score', string | number>>>[] = [
  { attributes: 'xx' },
  { attributes: '{"leap":' },
  { attributes: '{"error":5}' },
  { ts: '0000-00-00 00:00:00' },
  { ts: '2106-02-07 06:28:16' },
  { score: 1e300 },
]

/** Values in the order of the columns that the writers insert. */
export type RowValues = unknown[]
const [MONITOR_ID, TS, SCORE, ATTRIBUTES] = [0, 2, 3, 7]

/** Puts rows that no archive can hold among others, and deals with them later as an operator does. */
export class UnfitRows {
  readonly #connection: Connection
  readonly #table: string
  readonly #schedule: Schedule
  readonly #log: string[]
  /** Of their own: the other decisions of a seed stay what they were. */
  readonly #dice: Dice

  constructor(connection: Connection, table: string, schedule: Schedule, log: string[]) {
    this.#connection = connection
    this.#table = table
    this.#schedule = schedule
    this.#log = log
    this.#dice = new Dice(schedule.seed + 0.5e9)
  }

  async start(): Promise<void> {
    await this.#connection.query("set session sql_mode = ''")
    if (this.#schedule.hasUnfitRows) await this.#connection.query(skipTableSql(this.#table))
  }

  /** Spoils some of these rows: the first, the last, any, or two in a row. */
  spoil(rows: readonly RowValues[]): void {
    const dice = this.#dice
    if (!this.#schedule.hasUnfitRows || !dice.chance(0.4)) return
    const last = rows.length - 1
    const at = dice.pick([0, last, dice.between(0, last), dice.between(0, last)])
    const end = dice.chance(0.3) ? at + 1 : at
    for (const row of rows.slice(at, end + 1)) {
      const { attributes, ts, score } = dice.pick(KINDS)
      row[MONITOR_ID] = UNFIT_MONITOR
      row[ATTRIBUTES] = attributes ?? row[ATTRIBUTES]
      row[TS] = ts ?? row[TS]
      row[SCORE] = score ?? row[SCORE]
    }
  }

  /** After a run, sometimes. */
  async maybeSettle(): Promise<void> {
    if (this.#schedule.hasUnfitRows && this.#dice.chance(0.5)) await this.settle()
  }

  /** Corrects each of these rows, or takes it out of every archive. */
  async settle(): Promise<void> {
    if (!this.#schedule.hasUnfitRows) return
    const sql = `select id from \`${this.#table}\` where monitor_id = ${UNFIT_MONITOR} order by id`
    const [rows] = await this.#connection.query<RowDataPacket[]>(sql)
    for (const { id } of rows) await (this.#dice.chance(0.5) ? this.#correct(id) : this.#skip(id))
  }

  async #correct(id: number): Promise<void> {
    const isSkipped = `select 1 from \`${this.#table}_archive_skip\` where row_id = ?`
    const sql = `update \`${this.#table}\` set monitor_id = 7, attributes = null, score = 1, ts = now() - interval 3 day
      where id = ? and not exists (${isSkipped})`
    await this.#connection.query(sql, [id, id])
    this.#log.push(`row ${id} corrected`)
  }

  async #skip(id: number): Promise<void> {
    const sql = `insert ignore into \`${this.#table}_archive_skip\` (archiver, row_id, reason, row_json, skipped_by) values ?`
    await this.#connection.query(sql, [this.#schedule.archivers.map((name) => [name, id, 'unfit', '{}', 'proof'])])
    this.#log.push(`row ${id} skipped`)
  }
}
