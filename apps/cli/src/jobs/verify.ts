import {
  type Archiver,
  ArchiverError,
  type ArchiverStatus,
  archiverOff,
  type IdRange,
  lowerId,
  readerOf,
} from '@archiver/core'
import { type Verification, type VerifySource, verifyArchive } from '@archiver/core/reconcile'
import {
  connect,
  disconnect,
  isEncrypted,
  isMissingTable,
  MySqlLedger,
  MySqlOperator,
  MySqlRanges,
  MySqlSource,
  watchLockWaits,
} from '@archiver/mysql'
import { openArchiver, sourceOptions, type Wiring } from '../archivers.js'
import type { Point } from '../commands/point.js'
import { ExitCode, exitCodeOf, UsageError } from '../exit-codes.js'
import type { VerifyReporter } from '../report/verify-reporter.js'
import { standardError } from '../standard-streams.js'
import { StopSignals } from '../stop-signals.js'
import { repair } from './repair.js'

export interface VerifyJob extends Wiring {
  /** Empty for all archivers. */
  readonly only: readonly string[]
  readonly from: Point | undefined
  readonly to: Point | undefined
  /** Every column of every row. */
  readonly deep: boolean
  /** Rows that were deleted from MySQL count as a difference. */
  readonly failOnDeleted: boolean
  /** Store what is missing. */
  readonly repair: boolean
  /** Do not ask. */
  readonly yes: boolean
}

/** What the verification of each archive works with. */
interface Bench {
  readonly job: VerifyJob
  readonly ledger: MySqlLedger
  readonly operator: MySqlOperator
  readonly source: MySqlSource
  readonly ranges: MySqlRanges
  readonly reporter: VerifyReporter
  readonly signal: AbortSignal
}

/** Compares every archive that is turned on with the source. Takes no lock, unless it stores. @returns the exit code. */
export async function verify(job: VerifyJob, reporter: VerifyReporter): Promise<number> {
  const { settings, table } = job
  using signals = new StopSignals(0, () => undefined)
  using _waits = watchLockWaits(settings.mysql, (text) => standardError.line(`archiver: ${text}`))
  try {
    const connection = await connect(settings.mysql)
    try {
      const options = { ...sourceOptions(job), encrypted: isEncrypted(connection) }
      await using source = new MySqlSource(options)
      await using ranges = new MySqlRanges(options)
      await source.detectColumns()
      const ledger = new MySqlLedger(connection, table)
      const operator = new MySqlOperator(connection, table)
      const ok = await verifyAll({ job, ledger, operator, source, ranges, reporter, signal: signals.stop })
      return signals.exitCode ?? (ok ? ExitCode.ok : ExitCode.failed)
    } finally {
      await disconnect(connection)
    }
  } catch (error) {
    const ends = signals.exitCode === undefined && endsTheCommand(error)
    if (!ends || reporter.isDocument) reporter.failed(undefined, error)
    if (ends) throw error
    return signals.exitCode ?? ExitCode.failed
  } finally {
    reporter.end(table)
  }
}

/** Whether it is no failure of one archive, but a reason to do nothing more: usage, settings, a lock that is held. */
function endsTheCommand(error: unknown): boolean {
  return error instanceof UsageError || exitCodeOf(error) !== ExitCode.failed
}

async function verifyAll(bench: Bench): Promise<boolean> {
  const { job, ledger, reporter } = bench
  const statuses = (await ledger.status()).filter(({ archiver }) => archiver !== 'cleanup')
  await requirePossible(bench)
  if (statuses.length === 0) throw nothingOn(job.table)
  const unknown = job.only.filter((name) => !statuses.some(({ archiver }) => archiver === name))
  for (const name of unknown) reporter.failed(name, archiverOff(name, job.table))
  const wanted = statuses.filter(({ archiver }) => job.only.length === 0 || job.only.includes(archiver))
  let ok = unknown.length === 0
  for (const status of wanted) {
    try {
      ok = (await verifyOne(bench, status)) && ok
    } catch (error) {
      if (bench.signal.aborted) throw bench.signal.reason
      if (endsTheCommand(error)) throw error
      reporter.failed(status.archiver, error)
      ok = false
    }
  }
  return ok
}

/** @returns whether the archive holds what it should, in the end. */
async function verifyOne(bench: Bench, status: ArchiverStatus): Promise<boolean> {
  const { job, reporter } = bench
  const opened = await openArchiver(status.archiver, job)
  if ('notHere' in opened) {
    reporter.skipped(status.archiver, opened.notHere)
    return true
  }
  await using archiver = opened
  const range = await rangeOf(bench, status)
  if (range === null) {
    reporter.skipped(status.archiver, await whyEmpty(bench, status))
    return true
  }
  const found = await compare(bench, archiver, range)
  if (!job.repair || found.missing.length === 0) return isSame(found, job)
  const { source, signal } = bench
  if (!(await repair({ wiring: job, archiver, source, signal, yes: job.yes, found }))) return false
  return isSame(await compare(bench, archiver, range), job)
}

async function compare(bench: Bench, archiver: Archiver, range: IdRange): Promise<Verification> {
  const { job, ledger, source, ranges, reporter, signal } = bench
  const { name } = archiver
  const reader = readerOf(archiver)
  const startedMs = performance.now()
  const skipped = await ledger.skipped(name)
  const found = await verifyArchive({
    source: sourceOf(source, ranges),
    reader,
    table: job.table,
    range,
    skipped,
    identities: reader.missingFiles === undefined ? [] : await identitiesIn(bench, name, range),
    cleanedUpTo: () => cleanedUpTo(ledger),
    deep: job.deep,
    // Before rows are stored, and where somebody wants to know everything, whatever it costs.
    allDays: job.deep || job.repair,
    signal,
    onProgress: (rows, whole) => reporter.progress(name, rows, whole),
  })
  const skippedRows = skipped.filter((id) => id > range.afterId && id <= range.upToId).length
  const elapsedMs = performance.now() - startedMs
  reporter.done({ archiver: name, found, ok: isSame(found, job), skippedRows, deep: job.deep, elapsedMs })
  return found
}

/** The highest id of a row that the cleaner has deleted; 0 without a catalogue. */
async function cleanedUpTo(ledger: MySqlLedger): Promise<bigint> {
  try {
    return await ledger.deletedUpTo()
  } catch (error) {
    if (error instanceof ArchiverError && isMissingTable(error.cause)) return 0n
    throw error
  }
}

function sourceOf(source: MySqlSource, ranges: MySqlRanges): VerifySource {
  return {
    firstId: (range) => source.firstId(range),
    nextId: () => source.nextId(),
    existingIds: (ids) => source.existingIds(ids),
    read: (range, soonUpToId, skipped) => source.read(range, soonUpToId, skipped),
    digest: (range, without) => ranges.digest(range, without),
  }
}

/** From and to, no further than the mark; null where that is nothing. */
async function rangeOf({ job, ranges }: Bench, { mark }: ArchiverStatus): Promise<IdRange | null> {
  if (mark === null) return null
  const { from = { id: 1n }, to = { id: mark } } = job
  const first = 'id' in from ? from.id : await ranges.idFrom(from.tsSeconds)
  const last = 'id' in to ? to.id : await ranges.idUpTo(to.tsSeconds)
  if (first === null || last === null) return null
  const range = { afterId: first - 1n, upToId: lowerId(last, mark) }
  return range.afterId < range.upToId ? range : null
}

/** Ids are given in order: none of a range above the newest row is there. @throws UsageError */
async function requirePossible({ job: { from, table }, source }: Bench): Promise<void> {
  if (from === undefined || !('id' in from)) return
  const newestId = await source.maxId()
  if (newestId === null || from.id <= newestId) return
  const time = from.id < 2n ** 32n ? ` For a time in epoch seconds write @${from.id}.` : ''
  throw new UsageError(`--from: no row of ${table} has id ${from.id} or above: the newest has id ${newestId}.${time}`)
}

/** A range by time may miss every row by a wrong year: the message names the times that the table has. */
async function whyEmpty({ job, ranges }: Bench, { mark }: ArchiverStatus): Promise<string> {
  if (mark === null) return 'nothing is stored yet'
  const byTime = [job.from, job.to].some((point) => point !== undefined && 'tsSeconds' in point)
  if (!byTime) return `no row of this range is stored yet: the mark is at id ${mark}`
  const times = await ranges.times()
  if (times === null) return `no row is in this range: ${job.table} has no rows`
  const [first, last] = [times.firstTsSeconds, times.lastTsSeconds].map(timeText)
  return `no row up to the mark, id ${mark}, is in this range: the rows of ${job.table} are from ${first} to ${last}`
}

function timeText(tsSeconds: number): string {
  return new Date(tsSeconds * 1000).toISOString().replace('.000Z', 'Z')
}

/** The files and objects of finished batches with rows of the range; none without a catalogue. */
async function identitiesIn({ operator }: Bench, archiver: string, { afterId, upToId }: IdRange): Promise<string[]> {
  try {
    const batches = await operator.batchesAbove(archiver, afterId)
    return batches.filter(({ firstId }) => firstId <= upToId).map(({ identity }) => identity)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ER_NO_SUCH_TABLE') return []
    throw error
  }
}

function isSame({ counts, deleted }: Verification, { failOnDeleted }: VerifyJob): boolean {
  return Object.values(counts).every((rows) => rows === 0) && !(failOnDeleted && deleted.rows > 0)
}

function nothingOn(table: string): ArchiverError {
  return new ArchiverError(`nothing was verified: no archiver is turned on in ${table}_archive_status`, {
    code: 'ARCHIVER_OFF',
    table,
    hint: `Turn one on: archiver init -t ${table}`,
  })
}
