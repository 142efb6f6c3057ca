import {
  type Archiver,
  ArchiverError,
  aboveMark,
  type IdRange,
  lowerId,
  type RestoreStanding,
  readerOf,
} from '@archiver/core'
import {
  CleanupHold,
  connect,
  disconnect,
  MySqlLedger,
  MySqlOperator,
  MySqlRestoreTarget,
  watchLockWaits,
} from '@archiver/mysql'
import { type RestoreResult, restore, type Selection } from '@archiver/restore'
import { openArchiver, type Wiring } from '../archivers.js'
import type { Point } from '../commands/point.js'
import { ExitCode, UsageError } from '../exit-codes.js'
import { RestoreReporter } from '../report/restore-reporter.js'
import { printLine, standardError } from '../standard-streams.js'
import { StopSignals } from '../stop-signals.js'
import { confirmed } from './confirmed.js'

export interface RestoreJob extends Wiring {
  readonly archive: string
  readonly into: string
  readonly from: Point | undefined
  readonly to: Point | undefined
  readonly serverId: number | undefined
  readonly dryRun: boolean
  /** Do not ask. */
  readonly yes: boolean
  readonly pauseCleanup: boolean
}

type Connection = Awaited<ReturnType<typeof connect>>

/** What is to be read. */
interface Plan {
  readonly range: IdRange
  readonly selection: Selection
  /** Where the archive ends, as far as it is known. */
  readonly lastId: bigint | null
}

/** Says what comes back and how, asks where that matters, and brings it back. @returns the exit code. */
export async function restoreRows(job: RestoreJob): Promise<number> {
  using signals = new StopSignals(0, () => undefined)
  const { settings, archive, into, table } = job
  using _waits = watchLockWaits(settings.mysql, (text) => standardError.line(`archiver: ${text}`))
  await using archiver = await open(job)
  await archiver.validate?.()
  const reader = readerOf(archiver)
  const { retentionDays } = settings.cleanup
  await using target = await MySqlRestoreTarget.open({
    settings: settings.mysql,
    table: into,
    like: table,
    retentionDays,
  })
  const connection = await connect(settings.mysql)
  const reporter = new RestoreReporter({ archive, into, dryRun: job.dryRun }, process.stderr)
  try {
    const standing = await target.standing()
    const plan = await planOf(job, connection, standing)
    reporter.begin({ ...plan, lost: reader.losses ?? [], standing, local: target.local })
    if (!(await agreed(job, standing))) return ExitCode.failed
    if (job.pauseCleanup && standing !== null && !job.dryRun) await pauseCleaner(job, connection)
    const work = { reader, table, target, dryRun: job.dryRun, signal: signals.stop, onProgress: reporter.progress }
    const result = await restore({ ...plan, ...work })
    reporter.done(result)
    return signals.exitCode ?? (isWhole(result) ? ExitCode.ok : ExitCode.failed)
  } catch (error) {
    if (!(error instanceof UsageError)) reporter.broken()
    if (signals.exitCode === undefined) throw error
    return signals.exitCode
  } finally {
    await disconnect(connection)
  }
}

/** Lifts the hold that `--pause-cleanup` has placed. @returns the exit code. */
export async function letCleanerGoOn({ settings }: Wiring, into: string): Promise<number> {
  const connection = await connect(settings.mysql)
  try {
    const lifted = await new CleanupHold(connection, into).lift()
    printLine(lifted ? `the cleaner of ${into} goes on` : `the cleaner of ${into} was not held up`)
    return ExitCode.ok
  } finally {
    await disconnect(connection)
  }
}

async function open(job: RestoreJob): Promise<Archiver> {
  const opened = await openArchiver(job.archive, { ...job, readOnly: true })
  if (!('notHere' in opened)) return opened
  throw new ArchiverError(`${job.archive} is ${opened.notHere}`, {
    code: 'ARCHIVE_NOT_HERE',
    archiver: job.archive,
    hint: 'Set what the archiver of these rows was run with.',
  })
}

/** From and to, and no further than the lowest mark of the table where no end is given. @throws ArchiverError beyond it. */
async function planOf(job: RestoreJob, connection: Connection, standing: RestoreStanding | null): Promise<Plan> {
  const { from, to, serverId, archive, table, into } = job
  const limit = standing?.limit ?? null
  const times = {
    fromSeconds: from !== undefined && 'tsSeconds' in from ? from.tsSeconds : undefined,
    toSeconds: to !== undefined && 'tsSeconds' in to ? to.tsSeconds : undefined,
  }
  const { fromSeconds = 0, toSeconds = Number.MAX_SAFE_INTEGER / 2 } = times
  const known = await new MySqlOperator(connection, table).idsBetween(archive, fromSeconds, Math.floor(toSeconds))
  const afterId = from !== undefined && 'id' in from ? from.id - 1n : known.afterId
  const end = to !== undefined && 'id' in to ? to.id : known.upToId
  if (limit !== null && (afterId >= limit.id || (to !== undefined && 'id' in to && to.id > limit.id))) {
    throw aboveMark(into, afterId >= limit.id ? afterId + 1n : end, limit)
  }
  const upToId = limit !== null && to === undefined ? lowerId(end, limit.id) : end
  const lastId = await markOf(job, connection)
  return { range: { afterId, upToId }, selection: { serverId, ...times }, lastId }
}

/** The archive's mark; null where nobody knows it (any more). */
async function markOf({ table, archive }: RestoreJob, connection: Connection): Promise<bigint | null> {
  try {
    const statuses = await new MySqlLedger(connection, table).status()
    return statuses.find(({ archiver }) => archiver === archive)?.mark ?? null
  } catch (error) {
    if (error instanceof ArchiverError && error.code === 'STATUS_TABLE_MISSING') return null
    throw error
  }
}

/** A table that is archived is written only where somebody says so. */
async function agreed({ dryRun, yes, into, table }: RestoreJob, standing: RestoreStanding | null): Promise<boolean> {
  if (dryRun || yes || (standing === null && into !== table)) return true
  if (await confirmed(`${into} is a table that is archived. Write into it?`)) return true
  printLine('nothing was changed')
  return false
}

async function pauseCleaner({ archive, into }: RestoreJob, connection: Connection): Promise<void> {
  const who = await new MySqlOperator(connection, into).who()
  const why = `a restore of ${archive} by ${who}, ${new Date().toISOString().slice(0, 19)}Z`
  const placed = await new CleanupHold(connection, into).place(why)
  const lift = `archiver restore --resume-cleanup --into ${into}`
  printLine(`the cleaner of ${into} is ${placed ? '' : 'already '}held up; later: ${lift}`)
}

function isWhole({ different, doubled }: RestoreResult): boolean {
  return different === 0 && doubled === 0
}
