import type { SourceRow } from '@archiver/testkit'
import type { Connection, ResultSetHeader } from 'mysql2/promise'
import { oddRows } from '../rows.js'
import type { Schedule, Step } from './schedule.js'
import { SERVERS } from './servers.js'
import type { UnfitRows } from './unfit-rows.js'

const COLUMNS = 'monitor_id, server_id, ts, score, step, `offset`, rtt, attributes'

const DAY_S = 86_400
/** Well before and well after the time from which on rows are kept; see `RETENTION_DAYS`. */
const [OLD_DAYS, YOUNG_DAYS] = [30, 3]
/** Where nothing is deleted, the time does not matter. */
const START_SECONDS = 1_793_491_200

/** Whoever inserts rows: some at once, some in transactions that stay open for a while. */
export class Writers {
  readonly #table: string
  readonly #schedule: Schedule
  readonly #unfit: UnfitRows
  readonly #direct: Connection
  readonly #idle: Connection[]
  readonly #open: Connection[] = []
  readonly #nowSeconds = Math.floor(Date.now() / 1000)
  #written = 0

  constructor([direct, ...others]: readonly Connection[], table: string, schedule: Schedule, unfit: UnfitRows) {
    this.#unfit = unfit
    this.#table = table
    this.#schedule = schedule
    this.#direct = direct!
    this.#idle = others
  }

  async start(): Promise<void> {
    const sql = "set session auto_increment_increment = ?, sql_mode = ''"
    for (const connection of [this.#direct, ...this.#idle]) await connection.query(sql, [this.#schedule.idStep])
  }

  /** Does a step that writes. */
  async write(step: Step): Promise<void> {
    if (step.do === 'insert') await this.#insert(this.#direct, step)
    if (step.do === 'begin') await this.#begin(step)
    if (step.do === 'end') await this.#end(step.commit)
  }

  /** Ends all that is open; every other transaction is rolled back. */
  async endAll(): Promise<void> {
    while (this.#open.length > 0) await this.#end(this.#open.length % 2 === 0)
  }

  async #begin(rows: Rows): Promise<void> {
    const connection = this.#idle.pop()
    if (connection === undefined) return
    await connection.beginTransaction()
    this.#open.push(connection)
    await this.#insert(connection, rows)
  }

  async #end(commit: boolean): Promise<void> {
    const connection = this.#open.shift()
    if (connection === undefined) return
    await (commit ? connection.commit() : connection.rollback())
    this.#idle.push(connection)
  }

  async #insert(connection: Connection, { rows, old }: Rows): Promise<void> {
    const { seed, secondsPerRow } = this.#schedule
    const startSeconds = this.#firstSeconds(old) + this.#written * secondsPerRow
    const firstId = BigInt(1 + this.#written)
    this.#written += rows
    const made = oddRows({ seed: seed + this.#written, rows, firstId, startSeconds, rowsPerSecond: 1 / secondsPerRow })
    const values = [...made].map(valuesOf)
    this.#unfit.spoil(values)
    await connection.query<ResultSetHeader>(`insert into \`${this.#table}\` (${COLUMNS}) values ?`, [values])
  }

  #firstSeconds(old: boolean): number {
    if (this.#schedule.cleanerAsks === undefined) return START_SECONDS
    return this.#nowSeconds - (old ? OLD_DAYS : YOUNG_DAYS) * DAY_S
  }
}

interface Rows {
  readonly rows: number
  readonly old: boolean
}

function valuesOf({
  monitorId,
  serverId: anyServer,
  tsSeconds,
  score,
  step,
  offset,
  rtt,
  attributes,
}: SourceRow): unknown[] {
  const ts = new Date(tsSeconds * 1000).toISOString().slice(0, 19).replace('T', ' ')
  const serverId = 1 + (anyServer % SERVERS)
  return [monitorId, serverId, ts, score, step, offset, rtt, attributes]
}
