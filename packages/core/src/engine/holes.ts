import { setTimeout as delay } from 'node:timers/promises'
import { ArchiverError } from '../errors.js'
import type { LogScoreChunk, Permit, PlannedBatch } from '../types.js'
import type { Source, SourceRange } from './source.js'

/** The newest id, and since when we know of it: every id below it was handed out before then. */
export interface Watch {
  readonly maxId: bigint
  /** On the monotonic clock. */
  readonly sinceMs: number
}

/** Starts to watch: from now on each id up to the newest is given the settle window to appear. */
export async function startWatch(source: Source): Promise<Watch> {
  const maxId = (await source.maxId()) ?? 0n
  return { maxId, sinceMs: performance.now() }
}

/** A hole in the ids that a row may still appear in, or has just appeared in: the batch must end before it. */
export class OpenHole extends ArchiverError {
  /** The last id before the hole. */
  readonly lastId: bigint

  constructor({ afterId, upToId }: SourceRange, batch: PlannedBatch) {
    super(`an uncommitted row may still get an id between ${afterId} and ${upToId}`, {
      code: 'HOLE_OPEN',
      archiver: batch.archiver,
      table: batch.table,
      hint: 'The rows after it wait until that transaction ends.',
    })
    this.lastId = afterId
  }
}

export interface HoleGuardOptions {
  readonly source: Source
  readonly permit: Permit
  readonly watch: Watch
  /** How long an id may be allocated and not yet inserted: `archive_settle`. */
  readonly settleMs: number
}

/**
 * Lets a chunk pass once no row can appear any more between its rows, or between it and the chunk before it.
 *
 * InnoDB hands out ids before commit, so an id that is missing may still be used. Rows with no hole between them cost a
 * comparison a chunk; a hole costs a locking read, which fails at once while an uncommitted row sits in it, after
 * `settleMs` have gone by since the watch began.
 *
 * @throws OpenHole
 */
export async function* guardHoles(
  chunks: AsyncIterable<LogScoreChunk>,
  batch: PlannedBatch,
  options: HoleGuardOptions,
): AsyncGenerator<LogScoreChunk> {
  const step = await options.source.idStep()
  if (step > 1n) await settled(options)
  let previous = batch.afterId
  for await (const chunk of chunks) {
    await check(holesOf(chunk, previous, step), batch, options)
    previous = chunk.id[chunk.rows - 1]!
    yield chunk
  }
  if (batch.upToId - previous >= step) await check([{ afterId: previous, upToId: batch.upToId }], batch, options)
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

async function check(holes: readonly SourceRange[], batch: PlannedBatch, options: HoleGuardOptions): Promise<void> {
  if (holes.length === 0) return
  await settled(options)
  const open = await options.source.firstOpenHole(holes)
  if (open !== null) throw new OpenHole(open, batch)
}

/** Resolves when the window since the watch began is over. */
async function settled({ watch, settleMs, permit }: HoleGuardOptions): Promise<void> {
  const leftMs = watch.sinceMs + settleMs - performance.now()
  if (leftMs <= 0) return
  await delay(leftMs, undefined, { signal: permit.signal }).catch(() => permit.check())
}
