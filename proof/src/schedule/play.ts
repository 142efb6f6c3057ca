import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { archivedRow } from '@archiver/avro'
import type { LockTimes } from '@archiver/core/mysql'
import { createSourceTables, dropTables } from '@archiver/testkit'
import type { RowDataPacket } from 'mysql2/promise'
import type { ArchiverName } from '../archives.js'
import { avroRows } from '../avro-rows.js'
import { catalogueProblems } from '../catalogue.js'
import { differences, type IdRange } from '../compare.js'
import { clickHouseRow, clickHouseRows, sourceRows } from '../rows.js'
import type { Lane } from './lane.js'
import type { RunOrder } from './order.js'
import type { Runners } from './runners.js'
import type { PlannedTrouble, RunSettings, Schedule, Step } from './schedule.js'
import { Writers } from './writers.js'

/** The lock's times at an eighth: the server takes no session shorter than a second. */
const SCALED: LockTimes = { sessionWaitS: 1, pingIntervalMs: 250, lifeMs: 750 }
const UNSCALED: LockTimes = { sessionWaitS: 8, pingIntervalMs: 2_000, lifeMs: 6_000 }
const FREEZE_MS = 2_200
/** Longer than the client's read_timeout. */
const SILENCE_MS = 700
const READ_TIMEOUT_MS = 400
/** Scaled: 2 s by default. */
const TAKEOVER_WAIT_MS = 200

const AT_LAST: RunSettings = {
  minRows: 1,
  maxRows: 50,
  pageRows: 20,
  rowsPerBlock: 10,
  codec: 'null',
  settleMs: 300,
  smallParts: false,
}

export interface Played {
  /** Empty where every archive holds every row once. */
  readonly problems: readonly string[]
  /** What struck, in the order of the runs. */
  readonly struck: readonly PlannedTrouble[]
  /** What happened, for whoever looks for the reason. */
  readonly log: readonly string[]
}

/** Plays a schedule to its end, then runs plainly until nothing is left to do, and compares. */
export async function play(schedule: Schedule, lane: Lane, runners: Runners): Promise<Played> {
  return new Play(schedule, lane, runners).all()
}

class Play {
  readonly #schedule: Schedule
  readonly #lane: Lane
  readonly #runners: Runners
  readonly #table: string
  readonly #folder: string
  readonly #writers: Writers
  readonly #elsewhere = new Map<ArchiverName, IdRange[]>()
  readonly #struck: PlannedTrouble[] = []
  readonly #log: string[] = []

  constructor(schedule: Schedule, lane: Lane, runners: Runners) {
    this.#schedule = schedule
    this.#lane = lane
    this.#runners = runners
    this.#table = `s${schedule.seed}`
    this.#folder = join(lane.folder, this.#table)
    this.#writers = new Writers(lane.writers, this.#table, schedule)
  }

  async all(): Promise<Played> {
    const { archivers, steps } = this.#schedule
    await createSourceTables(this.#lane.connection, { table: this.#table, archivers })
    await mkdir(this.#folder)
    await this.#writers.start()
    for (const step of steps) await this.#take(step)
    await this.#writers.endAll()
    const problems = [...(await this.#finish()), ...(await this.#compare())]
    await dropTables(this.#lane.connection, this.#table)
    await this.#lane.clickhouse.query(`drop table if exists ${this.#table}`)
    return { problems, struck: this.#struck, log: this.#log }
  }

  async #take(step: Step): Promise<void> {
    if (step.do === 'move mark') await this.#moveMarks(step.to)
    else if (step.do === 'run') await this.#runWith(step)
    else await this.#writers.write(step)
    if (step.do !== 'run') this.#log.push(JSON.stringify(step))
  }

  async #runWith({ settings, trouble, meanwhile }: Extract<Step, { do: 'run' }>): Promise<void> {
    this.#log.push(`run ${JSON.stringify({ settings, trouble, meanwhile })}`)
    const order = this.#order(settings, SCALED, trouble)
    const arriving = this.#arrive(meanwhile)
    await this.#run(order)
    await arriving
  }

  async #arrive(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      await delay(15)
      await this.#writers.write(step)
    }
  }

  async #run(order: RunOrder): Promise<void> {
    const report = await this.#runners.run(order, async (trouble) => {
      this.#struck.push(trouble)
      this.#log.push(`struck: ${trouble.trouble} at ${trouble.point}`)
      await this.#strike(trouble, order.settings)
    })
    this.#log.push(...(report?.log ?? []), `ended: ${report ? report.failures.join('; ') || 'well' : 'died'}`)
    this.#lane.mysqlProxy.restore()
    this.#lane.sinkProxy.restore()
  }

  /** Does what a trouble is, while the run waits at its fault point. */
  async #strike({ trouble }: PlannedTrouble, settings: RunSettings): Promise<void> {
    const { mysqlProxy, sinkProxy } = this.#lane
    switch (trouble) {
      case 'freeze':
        return this.#run(this.#order(settings, SCALED))
      case 'kill lock':
        return this.#lane.killLock(`proof-${this.#table}`)
      case 'kill readers':
        return this.#lane.killReaders(`proof-${this.#table}`)
      case 'cut mysql':
        return mysqlProxy.cut()
      case 'reset sink':
        return sinkProxy.reset()
      case 'move mark':
        return this.#moveMarks((this.#schedule.seed * 37) % 101)
      case 'stall sink':
      case 'no answers':
        sinkProxy.silence(trouble === 'stall sink' ? 'both' : 'answers')
        setTimeout(() => sinkProxy.restore(), SILENCE_MS)
    }
  }

  #order(settings: RunSettings, lockTimes: LockTimes, trouble?: PlannedTrouble): RunOrder {
    const { mysql, mysqlProxy, sinkProxy, clickhouse } = this.#lane
    return {
      mysql: { ...mysql.address, port: mysqlProxy.port },
      table: this.#table,
      folder: this.#folder,
      dsn: `http://default:@127.0.0.1:${sinkProxy.port}/${clickhouse.name}?read_timeout=${READ_TIMEOUT_MS}ms`,
      archivers: this.#schedule.archivers,
      settings,
      lockTimes,
      takeoverWaitMs: TAKEOVER_WAIT_MS,
      trouble,
      freezeMs: FREEZE_MS,
    }
  }

  /** By hand, as an operator does it with SQL. A mark that goes forward says: what it passes is stored elsewhere. */
  async #moveMarks(percent: number): Promise<void> {
    const { connection } = this.#lane
    const ids = await this.#ids()
    const to = percent === 0 || ids.length === 0 ? null : ids[Math.floor((percent / 100) * (ids.length - 1))]!
    for (const [archiver, from] of await this.#marks()) {
      const sql = `update \`${this.#table}_archive_status\` set log_score_id = ? where archiver = ?`
      await connection.query(sql, [to, archiver])
      this.#log.push(`mark of ${archiver} from ${from} to ${to}`)
      const ranges = this.#elsewhere.get(archiver) ?? []
      if ((to ?? 0n) > from) this.#elsewhere.set(archiver, [...ranges, { afterId: from, upToId: to ?? 0n }])
    }
  }

  async #marks(): Promise<Map<ArchiverName, bigint>> {
    const sql = `select archiver, coalesce(log_score_id, 0) mark from \`${this.#table}_archive_status\``
    const [rows] = await this.#lane.connection.query<RowDataPacket[]>(sql)
    return new Map(rows.map((row) => [row.archiver, BigInt(row.mark)]))
  }

  async #ids(): Promise<bigint[]> {
    const [rows] = await this.#lane.connection.query<RowDataPacket[]>(`select id from \`${this.#table}\` order by id`)
    return rows.map((row) => BigInt(row.id))
  }

  /** Plain runs until every mark is at the newest row. */
  async #finish(): Promise<string[]> {
    const newest = (await this.#ids()).at(-1) ?? 0n
    for (let runs = 0; runs < 6; runs++) {
      this.#log.push('plain run')
      await this.#run(this.#order(AT_LAST, UNSCALED))
      const marks = [...(await this.#marks()).values()]
      if (marks.every((mark) => mark === newest)) return []
    }
    return [`after six plain runs the marks are ${[...(await this.#marks())].join(' ')}, the newest row is ${newest}`]
  }

  async #compare(): Promise<string[]> {
    const rows = await sourceRows(this.#lane.connection, this.#table)
    const ids = rows.map(({ id }) => id)
    const problems: string[] = []
    for (const archiver of this.#schedule.archivers) {
      const expected = rows.map(archiver === 'fileavro' ? archivedRow : clickHouseRow)
      const elsewhere = this.#elsewhere.get(archiver) ?? []
      const found = [
        ...differences(await this.#archived(archiver), expected, elsewhere),
        ...(await catalogueProblems(this.#lane.connection, this.#table, archiver, ids, elsewhere)),
      ]
      problems.push(...found.map((problem) => `${archiver}: ${problem}`))
    }
    return problems
  }

  #archived(archiver: ArchiverName) {
    if (archiver === 'fileavro') return avroRows(this.#folder)
    return clickHouseRows((sql) => this.#lane.clickhouse.query(`${sql} format JSONEachRow`), this.#table)
  }
}
