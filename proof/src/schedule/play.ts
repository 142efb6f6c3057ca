import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { LogScore } from '@archiver/core'
import type { LockTimes } from '@archiver/core/lock'
import { createSourceTables, dropTables } from '@archiver/testkit'
import { type ArchiverName, archivedRows, leftovers, type Places, storedRow } from '../archives.js'
import { catalogueOf, type DeletionTimes } from '../catalogue.js'
import { differences } from '../compare.js'
import { sourceRows } from '../rows.js'
import { Deletions } from './deletions.js'
import type { Lane } from './lane.js'
import { Marks } from './marks.js'
import type { OrderPlaces, RunOrder } from './order.js'
import { Dice } from './random.js'
import type { Runners } from './runners.js'
import type { RunSettings, Schedule, Step } from './schedule.js'
import { Servers } from './servers.js'
import { isOfCloud, type PlannedTrouble } from './troubles.js'
import { FIT, UnfitRows } from './unfit-rows.js'
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
  maxRows: 200,
  pageRows: 20,
  rowsPerBlock: 10,
  codec: 'null',
  settleMs: 300,
  smallParts: false,
  resumable: false,
  viaBucket: false,
  mostDeleted: 1_000,
}

export interface Played {
  /** Empty where every archive holds every row once, and no row was deleted too early. */
  readonly problems: readonly string[]
  /** What struck, in the order of the runs. */
  readonly struck: readonly PlannedTrouble[]
  /** How many rows the cleaner deleted. */
  readonly deleted: number
  /** What happened, for whoever looks for the reason. */
  readonly log: readonly string[]
}

/** Plays a schedule to its end, then runs plainly until nothing is left to do, and compares. */
export async function play(schedule: Schedule, lane: Lane, runners: Runners): Promise<Played> {
  const table = `s${schedule.seed}`
  const places = await placesFor(schedule, lane, table)
  const log: string[] = []
  await createSourceTables(lane.connection, { table, archivers: schedule.archivers })
  const servers = await Servers.create(lane.owner, table, log)
  const deletions = schedule.cleanerAsks && (await turnOnCleaner(lane, table))
  const played = await new Play({ schedule, lane, runners, places, deletions, servers, log }).all()
  await servers.drop()
  await dropTables(lane.connection, table)
  await deletions?.end()
  await lane.clickhouse.query(`drop table if exists ${table}`)
  await places.cloud?.empty(table)
  await places.cloud?.bucket.drop()
  return played
}

async function placesFor({ archivers }: Schedule, { folder, clickhouse, cloud }: Lane, table: string): Promise<Places> {
  const inCloud = archivers.includes('gcsavro') || archivers.includes('bigquery')
  const places = { table, prefix: `${table}/`, folder: join(folder, table), spool: join(folder, `${table}-spool`) }
  await mkdir(places.folder)
  await mkdir(places.spool)
  return { ...places, clickhouse, cloud: inCloud ? await cloud?.cloudFor(`${table}_set`) : undefined }
}

async function turnOnCleaner({ connection }: Lane, table: string): Promise<Deletions> {
  await connection.query(`insert into \`${table}_archive_status\` (archiver) values ('cleanup')`)
  return Deletions.watch(connection, table)
}

interface Stage {
  readonly schedule: Schedule
  readonly lane: Lane
  readonly runners: Runners
  readonly places: Places
  readonly deletions: Deletions | undefined
  readonly servers: Servers
  readonly log: string[]
}

class Play {
  readonly #stage: Stage
  readonly #schedule: Schedule
  readonly #lane: Lane
  readonly #table: string
  readonly #dice: Dice
  readonly #writers: Writers
  readonly #marks: Marks
  readonly #unfit: UnfitRows
  readonly #struck: PlannedTrouble[] = []
  readonly #log: string[]
  /** Of their own: the other decisions of a seed stay what they were. */
  readonly #serverDice: Dice

  constructor(stage: Stage) {
    this.#stage = stage
    this.#schedule = stage.schedule
    this.#lane = stage.lane
    this.#table = stage.places.table
    this.#log = stage.log
    this.#dice = new Dice(-stage.schedule.seed)
    this.#serverDice = new Dice(-stage.schedule.seed - 0.75e9)
    this.#unfit = new UnfitRows(stage.lane.connection, this.#table, stage.schedule, this.#log)
    this.#writers = new Writers(stage.lane.writers, this.#table, stage.schedule, this.#unfit)
    this.#marks = new Marks(stage.lane.connection, this.#table, this.#log)
  }

  async all(): Promise<Played> {
    await this.#unfit.start()
    await this.#writers.start()
    for (const step of this.#schedule.steps) await this.#take(step)
    await this.#writers.endAll()
    const problems = [...(await this.#finish()), ...(await this.#compare())]
    const deleted = (await this.#stage.deletions?.rows()) ?? []
    return { problems, struck: this.#struck, deleted: deleted.length, log: this.#log }
  }

  async #take(step: Step): Promise<void> {
    if (step.do === 'move mark') await this.#marks.move(step.to)
    else if (step.do === 'run') await this.#runWith(step)
    else await this.#write(step)
    if (step.do !== 'run') this.#log.push(JSON.stringify(step))
  }

  async #runWith({ settings, trouble, meanwhile }: Extract<Step, { do: 'run' }>): Promise<void> {
    this.#log.push(`run ${JSON.stringify({ settings, trouble, meanwhile })}`)
    const order = this.#order(settings, SCALED, trouble)
    const arriving = this.#arrive(meanwhile)
    await this.#run(order)
    await arriving
    await this.#unfit.maybeSettle()
  }

  async #arrive(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      await delay(15)
      await this.#write(step)
    }
  }

  async #write(step: Step): Promise<void> {
    if (step.do === 'delete server') await this.#stage.servers.deleteOne(this.#serverDice)
    else if (step.do === 'point') await this.#stage.servers.pointToRow(this.#serverDice)
    else await this.#writers.write(step)
  }

  async #run(order: RunOrder): Promise<void> {
    const report = await this.#stage.runners.run(order, async (trouble) => {
      this.#struck.push(trouble)
      this.#log.push(`struck: ${trouble.trouble} at ${trouble.point}`)
      await this.#strike(trouble, order.settings)
    })
    this.#log.push(...(report?.log ?? []), `ended: ${report ? report.failures.join('; ') || 'well' : 'died'}`)
    this.#lane.mysqlProxy.restore()
    this.#restoreSinks()
    await this.#lane.cloud?.calm()
  }

  /** Does what a trouble is, while the run waits at its fault point. */
  async #strike({ trouble }: PlannedTrouble, settings: RunSettings): Promise<void> {
    const { mysqlProxy, sinkProxies, cloud } = this.#lane
    if (isOfCloud(trouble)) return cloud?.strike(trouble, this.#dice)
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
        return sinkProxies.forEach((proxy) => void proxy.reset())
      case 'move mark':
        return this.#marks.move((this.#schedule.seed * 37) % 101)
      case 'delete server':
        return this.#stage.servers.deleteOne(this.#serverDice)
      case 'stall sink':
      case 'no answers':
        for (const proxy of sinkProxies) proxy.silence(trouble === 'stall sink' ? 'both' : 'answers')
        setTimeout(() => this.#restoreSinks(), SILENCE_MS)
    }
  }

  #restoreSinks(): void {
    for (const proxy of this.#lane.sinkProxies) proxy.restore()
  }

  #order(settings: RunSettings, lockTimes: LockTimes, trouble?: PlannedTrouble): RunOrder {
    const { mysql, mysqlProxy } = this.#lane
    const { archivers, cleanerAsks } = this.#schedule
    return {
      ...{ archivers, cleanerAsks, settings, lockTimes, trouble },
      mysql: { ...mysql.address, port: mysqlProxy.port },
      table: this.#table,
      places: this.#orderPlaces(),
      takeoverWaitMs: TAKEOVER_WAIT_MS,
      freezeMs: FREEZE_MS,
    }
  }

  #orderPlaces(): OrderPlaces {
    const { clickhouse, clickhouseProxy, cloud: lane } = this.#lane
    const { folder, spool, cloud } = this.#stage.places
    const dsn = `http://default:@127.0.0.1:${clickhouseProxy.port}/${clickhouse.name}?read_timeout=${READ_TIMEOUT_MS}ms`
    if (cloud === undefined || lane === undefined) return { folder, spool, dsn, cloud: undefined }
    const urls = {
      storageUrl: `http://127.0.0.1:${lane.storageProxy.port}`,
      bigQueryUrl: `http://127.0.0.1:${lane.bigQueryProxy.port}`,
    }
    const { bucket, dataset } = cloud
    const { projectId, keyFile } = lane
    return { folder, spool, dsn, cloud: { bucket: bucket.name, dataset, projectId, keyFile, ...urls } }
  }

  /** Plain runs until every mark is at the newest row, and all is deleted that may be. */
  async #finish(): Promise<string[]> {
    if (this.#schedule.hasUnfitRows) await this.#run(this.#order(AT_LAST, UNSCALED))
    await this.#unfit.settle()
    const newest = await this.#marks.newest()
    let left: string[] = []
    for (let runs = 0; runs < 6; runs++) {
      this.#log.push('plain run')
      await this.#run(this.#order(AT_LAST, UNSCALED))
      left = [...(await this.#marks.behind(newest)), ...((await this.#stage.deletions?.due()) ?? [])]
      if (left.length === 0) return []
    }
    return left.map((problem) => `after six plain runs: ${problem}`)
  }

  async #compare(): Promise<string[]> {
    const { places, deletions, servers } = this.#stage
    const left = await sourceRows(this.#lane.connection, this.#table, FIT)
    const deleted = (await deletions?.rows()) ?? []
    const gone = await servers.rows()
    const rows = [...left, ...deleted, ...gone].sort((a, b) => (a.id < b.id ? -1 : 1))
    const asked = this.#schedule.cleanerAsks !== 'off'
    const known = {
      rows,
      // An archive that was asked before a row was deleted must have it, whoever said that it is elsewhere.
      safe: new Set(asked ? deleted.map(({ id }) => id) : []),
      gone: new Set(gone.map(({ id }) => id)),
      times: new Map([...((await deletions?.times()) ?? []), ...(await servers.times())]),
    }
    const problems = (await deletions?.problems()) ?? []
    for (const archiver of this.#schedule.archivers) {
      problems.push(...(await this.#problemsOf(archiver, known)).map((problem) => `${archiver}: ${problem}`))
    }
    return [...problems, ...(await leftovers(places))]
  }

  async #problemsOf(archiver: ArchiverName, { rows, safe, gone, times }: KnownRows): Promise<string[]> {
    const isElsewhere = (id: bigint) => this.#marks.isElsewhere(archiver, id)
    const { problems, filed } = await catalogueOf(this.#lane.connection, this.#table, archiver, {
      ids: rows.map(({ id }) => id),
      deletions: times,
      mayLack: (id) => gone.has(id) || isElsewhere(id),
    })
    const mayLack = (id: bigint) => !safe.has(id) && (isElsewhere(id) || (gone.has(id) && !filed.has(id)))
    const expected = rows.map((row) => storedRow(archiver, row))
    return [...differences(await archivedRows(archiver, this.#stage.places), expected, mayLack), ...problems]
  }
}

/** All rows that a schedule has committed, and what became of them. */
interface KnownRows {
  readonly rows: readonly LogScore[]
  /** Deleted by the cleaner, after it had asked the archives. */
  readonly safe: ReadonlySet<bigint>
  /** Deleted with their servers, archived or not. */
  readonly gone: ReadonlySet<bigint>
  readonly times: DeletionTimes
}
