import type { PlannedBatch } from '../contract/batch.js'
import { ArchiverError } from '../contract/errors.js'
import type { Lease } from '../contract/lease.js'
import type { LogScoreChunk } from '../contract/log-score.js'
import type { Source, SourceRange } from '../contract/source.js'
import { pause } from '../values/time.js'

/** The newest id, and since when we know of it: every id below it was handed out before then. */
export interface Watch {
  readonly maxId: bigint
  /** On the monotonic clock. */
  readonly sinceMs: number
  /** Ids up to here were handed out longer ago than the settle window; 0 for none. */
  readonly settledId: bigint
}

/**
 * Starts to watch: from now on each id up to the newest is given the settle window to appear.
 *
 * @param settledId - ids up to here had it before: see {@link Sightings}.
 */
export async function startWatch(source: Source, settledId = 0n): Promise<Watch> {
  const maxId = (await source.maxId()) ?? 0n
  return { maxId, sinceMs: performance.now(), settledId }
}

/** More than fit into a settle window at the shortest time between two looks. */
const MOST_SIGHTINGS = 64

/**
 * The newest ids that were seen, and when: for whoever looks again and again, and need not wait each time for a hole that
 * has been there before. Good for one server: after a failover ids may be handed out again.
 */
export class Sightings {
  private readonly seen: { readonly maxId: bigint; readonly atMs: number }[] = []

  /** @param nowMs - on a clock that never steps, as in {@link settledId}. */
  note(maxId: bigint, nowMs: number): void {
    this.seen.push({ maxId, atMs: nowMs })
    if (this.seen.length > MOST_SIGHTINGS) this.seen.shift()
  }

  /** Ids up to here were seen, and so handed out, more than `settleMs` ago. 0 for none. */
  settledId(settleMs: number, nowMs: number): bigint {
    return this.seen.findLast(({ atMs }) => nowMs - atMs > settleMs)?.maxId ?? 0n
  }
}

/** A hole in the ids that a row may still appear in, or has just appeared in: the batch must end before it. */
export class OpenHole extends ArchiverError {
  /** The last id before the hole. */
  readonly lastId: bigint
  /** Whether rows behind the hole were passed on before it was seen to be open. */
  readonly passed: boolean

  constructor({ afterId, upToId }: SourceRange, { archiver, table }: PlannedBatch, passed: boolean) {
    super(`a row may still get an id between ${afterId} and ${upToId + 1n}, or has just got it`, {
      code: 'HOLE_OPEN',
      archiver,
      table,
      hint: 'The rows after it wait until that transaction ends.',
      retryable: true,
    })
    this.lastId = afterId
    this.passed = passed
  }
}

export interface HoleGuardOptions {
  readonly source: Source
  readonly lease: Lease
  readonly watch: Watch
  /** How long an id may be allocated and not yet inserted: `archive_settle`. */
  readonly settleMs: number
}

/**
 * Passes chunks on, and ends well only if no row can appear any more between the rows that were passed on.
 *
 * A database hands out ids before commit, so an id that is missing may still be used. Rows with no hole between them cost a
 * comparison a chunk. A hole costs a locking read, which fails at once while an uncommitted row sits in it: then no row
 * behind it is passed on. A hole that is empty before `settleMs` have gone by since the watch began is looked at once
 * more after that, since an id may be allocated and not inserted yet; the rows go on meanwhile.
 *
 * @throws OpenHole
 */
export async function* guardHoles(
  chunks: AsyncIterable<LogScoreChunk>,
  batch: PlannedBatch,
  options: HoleGuardOptions,
): AsyncGenerator<LogScoreChunk> {
  const step = await options.source.idStep()
  const holes = new HoleWatch(batch, options)
  if (step > 1n) await holes.windowOver()
  let previous = batch.afterId
  for await (const chunk of chunks) {
    await holes.look(holesOf(chunk, previous, step))
    previous = chunk.id[chunk.rows - 1]!
    holes.rowsSince += chunk.rows
    yield chunk
  }
  if (batch.upToId - previous >= step) await holes.look([{ afterId: previous, upToId: batch.upToId }])
  await holes.close()
}

/**
 * More rows than a server can take into one table in a millisecond (bulk loads reach 100 to 200). Rows behind a hole that
 * were there when the watch began got their ids after it: so many of them make it so much older.
 */
const MOST_ROWS_A_MS = 500

/** The holes of one batch that have to be looked at once more. */
class HoleWatch {
  /** Rows passed on since the last of them. */
  rowsSince = 0
  private readonly batch: PlannedBatch
  private readonly options: HoleGuardOptions
  private pending: SourceRange[] = []

  constructor(batch: PlannedBatch, options: HoleGuardOptions) {
    this.batch = batch
    this.options = options
  }

  /** Before the rows behind these holes are passed on. */
  async look(holes: readonly SourceRange[]): Promise<void> {
    if (this.leftMs() <= 0) await this.lookAgain()
    if (holes.length === 0) return
    this.rowsSince = 0
    if (this.leftMs() > 0) this.pending.push(...holes.filter(({ upToId }) => upToId > this.options.watch.settledId))
    await this.refuseOpen(holes, false)
  }

  /** Before the batch may end well. */
  async close(): Promise<void> {
    if (this.pending.length === 0) return
    await this.windowOver()
    await this.lookAgain()
  }

  /** Waits for the end of the window. */
  async windowOver(): Promise<void> {
    const leftMs = this.leftMs()
    if (leftMs <= 0) return
    await pause(leftMs, this.options.lease.signal)
  }

  /** After the window is over, at the holes that were empty before. */
  private async lookAgain(): Promise<void> {
    const holes = this.pending
    this.pending = []
    if (holes.length > 0) await this.refuseOpen(holes, true)
  }

  private leftMs(): number {
    const { watch, settleMs } = this.options
    return watch.sinceMs + settleMs - performance.now() - this.rowsSince / MOST_ROWS_A_MS
  }

  private async refuseOpen(holes: readonly SourceRange[], passed: boolean): Promise<void> {
    const open = await this.options.source.firstOpenHole(holes)
    if (open !== null) throw new OpenHole(open, this.batch, passed)
  }
}

/** The ranges of ids that are missing before and within the chunk; narrower than `step` they are no holes. */
export function holesOf(chunk: LogScoreChunk, previous: bigint, step: bigint): SourceRange[] {
  const { id, rows } = chunk
  const holes: SourceRange[] = []
  if (step === 1n && id[rows - 1]! - previous === BigInt(rows)) return holes
  let before = previous
  for (let i = 0; i < rows; i++) {
    const here = id[i]!
    if (here - before > step) holes.push({ afterId: before, upToId: here - 1n })
    before = here
  }
  return holes
}
