import { withoutIds } from '../chunk/select-rows.js'
import { ArchiverError, type ErrorPlace, inOperation, RowError } from '../contract/errors.js'
import { faultPoint } from '../contract/fault.js'
import type { BatchRecord, Ledger } from '../contract/ledger.js'
import type { Source } from '../contract/source.js'
import type { Archiver, LogScoreChunk, Permit, PlannedBatch, StoredRows, StoreResult } from '../contract/types.js'
import { BatchRows, IdSum } from './batch-rows.js'
import { enoughWait } from './due.js'
import type { OnEvent } from './events.js'
import { holdsAny } from './held-ahead.js'
import { guardHoles, OpenHole, type Watch } from './holes.js'
import { noProgress } from './no-progress.js'
import { StepClock } from './steps.js'
import { Tally, tallied } from './tally.js'

/** What one archiver works with in a pass. */
export interface ArchiverRun {
  readonly table: string
  readonly archiver: Archiver
  readonly ledger: Ledger
  readonly source: Source
  readonly permit: Permit
  readonly settleMs: number
  readonly watch: Watch
  /** Rows that an operator has taken out, ascending. */
  readonly skipped: BigUint64Array
  readonly onEvent: OnEvent
  /** How often the batch in hand has been ended before a row already. Absent for 0. */
  readonly shortenings?: number
}

/**
 * A batch is ended before a row of the source that no chunk can hold, then before one that the archive cannot hold, and
 * before gaps that open meanwhile. More often than this, something keeps on refusing rows that it has been rid of.
 */
const MAX_SHORTENINGS = 10

/** What became of a planned batch. */
export interface Outcome {
  readonly rows: number
  /** Where the mark is now. */
  readonly mark: bigint
  /** Set where no row after it can be stored in this run: a hole that is open, or rows that are all skipped. */
  readonly endsAt?: bigint
}

/** Stores a batch of which the archive holds nothing, and commits it. */
export function storeNew(run: ArchiverRun, batch: PlannedBatch, mark: bigint): Promise<Outcome> {
  return finish(run, batch, mark, new BigUint64Array())
}

/**
 * Finishes a planned batch with exactly its own range, whatever the settings are now. Where a row of it cannot be stored,
 * the batch ends before that row.
 *
 * @throws RowError for that row, once the rows before it are stored.
 */
export async function recover(run: ArchiverRun, batch: PlannedBatch, mark: bigint): Promise<Outcome> {
  let found: Found
  try {
    found = await heldOf(run, batch)
  } catch (error) {
    if (error instanceof RowError && (await mayEndBefore(run, batch, error.id)))
      await endBefore(run, batch, mark, error.id - 1n, 1)
    throw error
  }
  return complete(run, batch, mark, found)
}

/**
 * Whether the archive holds nothing of the batch from this row on. It may hold some where the row could be stored once, and
 * was changed since: those rows cannot be left out of their batch, which stays planned.
 */
async function mayEndBefore(run: ArchiverRun, batch: PlannedBatch, id: bigint): Promise<boolean> {
  // Settles what is still on its way.
  if (id > batch.firstId) await heldOf(run, { ...batch, upToId: id - 1n })
  return !(await holdsAny(run, { afterId: id - 1n, upToId: batch.upToId }))
}

/**
 * Settles a planned batch past whose start another program has moved the mark: finished if any of it is in the archive,
 * else given up, since those rows are that program's.
 */
export async function recoverOvertaken(run: ArchiverRun, batch: PlannedBatch, mark: bigint): Promise<Outcome> {
  // Rows that have been deleted from the source since are behind every mark: there is nothing to settle.
  const gone = (await run.source.firstId(batch)) === null
  try {
    const found = gone ? NOTHING : await heldOvertaken(run, batch, mark)
    if (found.held.kind !== 'none') return await complete(run, batch, mark, found)
  } catch (error) {
    if (!(error instanceof RowError)) throw error
    return overtakenBefore(run, batch, mark, error)
  }
  return supersede(run, batch, mark)
}

async function supersede(run: ArchiverRun, batch: PlannedBatch, mark: bigint): Promise<Outcome> {
  await run.ledger.supersede(batch)
  run.onEvent({ event: 'batch.superseded', batch })
  return { rows: 0, mark }
}

/** A row that cannot be stored is not in the archive; where the mark has passed it, it does not matter any more. */
async function overtakenBefore(run: ArchiverRun, batch: PlannedBatch, mark: bigint, error: RowError): Promise<Outcome> {
  if (mark < batch.upToId && !(await mayEndBefore(run, batch, error.id))) throw error
  if (error.id <= batch.firstId) return supersede(run, batch, mark)
  return recoverOvertaken(again(run, batch), await shorten(run, batch, error.id - 1n), mark)
}

/** What the look-up of a batch has found. */
interface Found {
  readonly held: StoredRows
  /** The source's rows that it was compared with; undefined where nothing was read. */
  readonly rows: BatchRows | undefined
}

const NOTHING: Found = { held: { kind: 'none' }, rows: undefined }

/**
 * That program's files need not end where the batch does, and one that goes on is an error of a batch; none of them goes on
 * beyond the mark. Where the archive holds every row up to there, all of them count as that program's.
 */
async function heldOvertaken(run: ArchiverRun, batch: PlannedBatch, mark: bigint): Promise<Found> {
  try {
    return await heldOf(run, batch)
  } catch (error) {
    if (mark <= batch.upToId || !(error instanceof ArchiverError) || error.retryable) throw error
    const upToTheMark = await heldOf(run, { ...batch, upToId: mark }).catch(() => undefined)
    if (upToTheMark?.held.kind !== 'all') throw error
    return NOTHING
  }
}

async function heldOf(run: ArchiverRun, batch: PlannedBatch): Promise<Found> {
  await faultPoint('recover.before')
  const rows = new BatchRows(run.source, batch, run.skipped)
  const held = await inOperation(placeOf(batch, 'look up'), () => run.archiver.stored(batch, rows, run.permit))
  await faultPoint('recover.after')
  run.onEvent({ event: 'batch.recovering', batch, held: held.kind })
  const { deletedRows = 0 } = held
  if (deletedRows > 0) run.onEvent({ event: 'batch.deleted-rows', batch, rows: deletedRows })
  return { held, rows }
}

async function complete(run: ArchiverRun, batch: PlannedBatch, mark: bigint, { held, rows }: Found): Promise<Outcome> {
  if (held.kind !== 'all') return finish(run, batch, mark, held.kind === 'some' ? held.ids : new BigUint64Array())
  const tally = new Tally(batch)
  const clock = new StepClock(run.archiver)
  const sum = new IdSum()
  for await (const chunk of tallied(clock.read(finalRows(run, batch)), tally, () => undefined)) sum.add(chunk)
  rows?.requireSame(sum.value)
  if (held.result.rows !== tally.rows) throw rowsDiffer(batch, held.result.rows, tally.rows)
  return commit(run, batch, mark, tally, held.result, clock)
}

/** The same, and ends well only if no other row of the range can appear any more. */
function finalRows(run: ArchiverRun, batch: PlannedBatch): AsyncIterable<LogScoreChunk> {
  const { source, watch, archiver } = run
  const more = watch.maxId - batch.upToId >= BigInt(archiver.batch.minRows)
  const rows = source.read(batch, more ? watch.maxId : batch.upToId, run.skipped)
  return withoutIds(guardHoles(rows, batch, run), run.skipped)
}

/** Stores what the archive does not hold, up to a row that cannot be stored, if there is one. */
async function finish(run: ArchiverRun, batch: PlannedBatch, mark: bigint, held: BigUint64Array): Promise<Outcome> {
  try {
    return await storeRows(run, batch, mark, held)
  } catch (error) {
    const lastId = lastBefore(error)
    if (lastId === null) throw error
    // What is in the archive already cannot be left out of its batch: that stays planned.
    if ((held.at(-1) ?? 0n) > lastId || (await holdsPassed(run, batch, error))) throw error
    const outcome = await endBefore(
      run,
      batch,
      mark,
      lastId,
      error instanceof RowError ? 1 : run.archiver.batch.minRows,
    )
    if (error instanceof RowError) throw error
    return outcome
  }
}

/** Whether rows behind a hole that was seen too late are in the archive. */
async function holdsPassed(run: ArchiverRun, batch: PlannedBatch, error: unknown): Promise<boolean> {
  return error instanceof OpenHole && error.passed && (await heldOf(run, batch)).held.kind !== 'none'
}

/** Where a batch must end because of this error; null for one that has nothing to do with a row. */
function lastBefore(error: unknown): bigint | null {
  if (error instanceof OpenHole) return error.lastId
  return error instanceof RowError ? error.id - 1n : null
}

/**
 * Ends the batch at `lastId`, so that what can be stored is stored and marked. Fewer rows than `minRows` wait instead,
 * unless some are in the archive already.
 */
async function endBefore(
  run: ArchiverRun,
  batch: PlannedBatch,
  mark: bigint,
  lastId: bigint,
  minRows: number,
): Promise<Outcome> {
  if (lastId < batch.firstId) return withdraw(run, batch, mark, lastId)
  const next = again(run, batch)
  const short = await shorten(run, batch, lastId)
  const found = await heldOf(next, short)
  const nothing = found.held.kind === 'none'
  if (nothing && !(await enoughWait(run.source, short, minRows))) return withdraw(run, short, mark, lastId)
  return { ...(await complete(next, short, mark, found)), endsAt: lastId }
}

/** @throws ArchiverError (NO_PROGRESS) where the batch does not become shorter. */
async function shorten(run: ArchiverRun, batch: PlannedBatch, lastId: bigint): Promise<PlannedBatch> {
  if (lastId >= batch.upToId) throw noProgress(run, batch, `it cannot end at ${lastId}, which is not before its end`)
  const short = await run.ledger.shorten(batch, lastId)
  run.onEvent({ event: 'batch.shortened', batch: short })
  return short
}

/** The run, with one more shortening counted. @throws ArchiverError (NO_PROGRESS) where there were too many. */
function again(run: ArchiverRun, batch: PlannedBatch): ArchiverRun {
  const shortenings = (run.shortenings ?? 0) + 1
  if (shortenings <= MAX_SHORTENINGS) return { ...run, shortenings }
  throw noProgress(run, batch, `it was ended before a row ${MAX_SHORTENINGS} times`)
}

async function withdraw(run: ArchiverRun, batch: PlannedBatch, mark: bigint, endsAt: bigint): Promise<Outcome> {
  await run.ledger.withdraw(batch)
  return { rows: 0, mark, endsAt }
}

async function storeRows(run: ArchiverRun, batch: PlannedBatch, mark: bigint, held: BigUint64Array): Promise<Outcome> {
  const clock = new StepClock(run.archiver)
  const tally = new Tally(batch)
  const progress = (): void => run.onEvent({ event: 'batch.progress', batch, rows: tally.rows, lastId: tally.last })
  const chunks = tallied(clock.read(finalRows(run, batch)), tally, progress)
  await faultPoint('store.before')
  let given = 0
  const rest = counted(withoutIds(chunks, held), (rows) => {
    given += rows
  })
  const result = await inOperation(placeOf(batch, 'store'), () => run.archiver.store(batch, rest, run.permit))
  await faultPoint('store.after')
  if (result.rows !== given) throw rowsDiffer(batch, result.rows, given)
  // The rows that the archive lacked were deleted meanwhile: only a new look-up can say where the others are.
  if (given === 0 && tally.rows > 0) throw rowsDiffer(batch, held.length, tally.rows)
  return commit(run, batch, mark, tally, result, clock)
}

async function* counted(
  chunks: AsyncIterable<LogScoreChunk>,
  onRows: (rows: number) => void,
): AsyncGenerator<LogScoreChunk> {
  for await (const chunk of chunks) {
    onRows(chunk.rows)
    yield chunk
  }
}

async function commit(
  run: ArchiverRun,
  batch: PlannedBatch,
  mark: bigint,
  tally: Tally,
  result: StoreResult,
  clock: StepClock,
): Promise<Outcome> {
  if (tally.rows === 0) return withdraw(run, batch, mark, batch.upToId)
  clock.stored()
  const record: BatchRecord = tally.record(result)
  const upToId = await nextMark(run, batch, mark, record.lastId)
  await faultPoint('commit.before')
  run.permit.check()
  const move = { from: mark, to: upToId }
  const to = await inOperation(placeOf(batch, 'commit'), () => run.ledger.commit(batch, record, move))
  await faultPoint('commit.after')
  run.onEvent({ event: 'batch.done', batch, record, conversions: result.conversions ?? {}, ...clock.done })
  const { unarchived } = tally
  if (unarchived !== null) run.onEvent({ event: 'batch.unarchived', batch, unarchived })
  return { rows: result.rows, mark: to }
}

/** A mark goes to the batch's last row, but never back, and never over rows between itself and the batch. */
async function nextMark(run: ArchiverRun, batch: PlannedBatch, mark: bigint, lastId: bigint): Promise<bigint> {
  if (mark >= lastId) return mark
  const between = mark < batch.afterId ? await run.source.firstId({ afterId: mark, upToId: batch.afterId }) : null
  return between === null ? lastId : mark
}

function rowsDiffer(batch: PlannedBatch, stored: number, read: number): ArchiverError {
  return new ArchiverError(`batch ${batch.id}: the archive reports ${stored} rows, the source had ${read}`, {
    code: 'ROWS_DIFFER',
    ...placeOf(batch, 'store'),
    hint: 'Nothing was marked; the next try checks what the archive holds.',
    retryable: true,
  })
}

function placeOf({ archiver, table, afterId, upToId }: PlannedBatch, operation: string): ErrorPlace {
  return { operation, archiver, table, afterId, upToId }
}
