import { ArchiverError } from '@archiver/core'
import {
  connect,
  disconnect,
  isEncrypted,
  MySqlLock,
  MySqlSetup,
  MySqlSource,
  SETUP_SESSION,
  turnOnSql,
  watchedReplicas,
  watchLockWaits,
} from '@archiver/mysql'
import type { Wiring } from '../archivers.js'
import { ExitCode } from '../exit-codes.js'
import { type InitPlan, planLines } from '../report/init-lines.js'
import { printLine, standardError } from '../standard-streams.js'
import { accountRights } from './account-rights.js'
import { chooseArchivers } from './choose-archivers.js'
import { confirmed } from './confirmed.js'
import { lookAtArchive } from './look-at-archive.js'

export interface InitJob extends Wiring {
  /** Archivers to turn on; empty for the archives that are configured. */
  readonly names: readonly string[]
  readonly dryRun: boolean
  /** Do not ask. */
  readonly yes: boolean
}

type Connection = MySqlLock['connection']

/** Shows what is missing and which rights that takes, asks, and makes it. @returns the exit code. */
export async function init(job: InitJob): Promise<number> {
  using _waits = watchLockWaits(job.settings.mysql, (text) => standardError.line(`archiver: ${text}`))
  const connection = await connect(job.settings.mysql, SETUP_SESSION)
  let plan: InitPlan | undefined
  try {
    plan = await makePlan(job, connection)
    for (const line of planLines(plan)) printLine(line)
    return await carryOut(job, connection, plan)
  } finally {
    for (const { archiver } of plan?.archives ?? []) await archiver?.[Symbol.asyncDispose]()
    await disconnect(connection)
  }
}

async function makePlan(job: InitJob, connection: Connection): Promise<InitPlan> {
  const { settings, table, names, dryRun, yes } = job
  await requireSource(job, connection)
  const setup = new MySqlSetup(connection, table)
  const tables = await setup.tables()
  const fit = tables.every(({ misfits }) => misfits.length === 0)
  const on = fit ? await setup.archivers() : []
  const chosen = await chooseArchivers(job, { names, on, ask: !dryRun && !yes })
  const turnOn = chosen.filter((name) => !on.includes(name))
  const create = tables.filter(({ state }) => state !== 'there')
  const cleanup = [...on, ...chosen].includes('cleanup')
  const session = await setup.session()
  const foreignKey = tables.every(({ withoutKey }) => withoutKey === undefined)
  const work = { table, cleanup, create: create.map(({ name }) => name), turnOn: turnOn.length > 0, foreignKey }
  const rights = await accountRights(connection, session, work)
  const unseen = cleanup ? await unseenReplicas(connection, settings) : []
  const archives = []
  for (const name of chosen) if (name !== 'cleanup') archives.push(await lookAtArchive(name, job))
  const sql = { create: create.map(({ sql }) => sql), turnOn: turnOnSql(table, turnOn) }
  return { table, session, tables, on, turnOn, archives, sql, rights, unseen }
}

/** @throws ArchiverError where there is no source table, or it is of another form. One that may not be seen passes. */
async function requireSource({ settings, table }: Wiring, connection: Connection): Promise<void> {
  await using source = new MySqlSource({ settings: settings.mysql, table, encrypted: isEncrypted(connection) })
  await source.detectColumns().catch((error: unknown) => {
    if (!(error instanceof ArchiverError) || error.code !== 'MYSQL_ACCESS_DENIED') throw error
  })
}

async function unseenReplicas(connection: Connection, { mysql, cleanup }: Wiring['settings']) {
  if (cleanup.maxLagMs === 0) return []
  const { unseenReplicas: look } = await import('@archiver/cleanup')
  return look({ replicas: (choice) => watchedReplicas(connection, mysql, choice) }, cleanup)
}

async function carryOut(job: InitJob, connection: Connection, plan: InitPlan): Promise<number> {
  const { tables, archives, sql, rights } = plan
  const code = rights.grants.length === 0 ? ExitCode.ok : ExitCode.failed
  const count = [...sql.create, ...sql.turnOn, ...archives.flatMap(({ statements }) => statements)].length
  const inTheWay =
    tables.some(({ misfits }) => misfits.length > 0) || archives.some(({ broken }) => broken) || rights.mayNotRun
  if (inTheWay) {
    printLine('Something is in the way, see above: nothing was run.')
    return ExitCode.failed
  }
  if (count === 0) printLine('There is nothing to run.')
  if (count === 0 || job.dryRun) return code
  if (!job.yes && !(await confirmed(`Run ${count === 1 ? 'this statement' : `these ${count} statements`}?`))) {
    printLine('nothing was changed')
    return ExitCode.failed
  }
  await make(job, connection, plan)
  printLine(`Done.${code === ExitCode.ok ? '' : ' The grants above are still missing.'}`)
  return code
}

/** The rows of the status table last: nothing is turned on that is not ready. */
async function make({ settings, table, lock: names }: Wiring, connection: Connection, plan: InitPlan): Promise<void> {
  const { mysql, lock: wait } = settings
  const setup = new MySqlSetup(connection, table)
  await using lock = await MySqlLock.take({ settings: mysql, ...names, timeoutMs: wait.timeoutMs })
  await setup.run(plan.sql.create, { rejectReadOnly: mysql.rejectReadOnly })
  for (const { archiver } of plan.archives) {
    lock.assertHeld()
    await archiver?.prepare(table)
  }
  lock.assertHeld()
  await setup.run(plan.sql.turnOn)
}
