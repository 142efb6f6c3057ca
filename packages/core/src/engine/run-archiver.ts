import type { PlannedBatch } from '../contract/batch.js'
import { faultPoint } from '../contract/fault.js'
import type { SourceRange } from '../contract/source.js'
import { lowerId } from '../values/ids.js'
import { BatchRun, type Outcome } from './batch-run.js'
import { enoughWait } from './due.js'
import { heldAhead } from './held-ahead.js'
import { noProgress } from './no-progress.js'
import type { RunContext } from './run-context.js'

/** Counts what a run has committed, and follows the mark. */
export interface Progress {
  rows: number
  batches: number
  mark: bigint
}

/**
 * Brings one archive up to date: finishes a batch that an earlier try left behind, checks what lies behind a mark that
 * was set back, then plans, stores and commits batches while at least `minRows` rows wait.
 *
 * @param progress - starts at the mark; tells what was done also when the run fails.
 * @param left - the batch that was planned and not finished.
 * @param drain - once aborted, no further batch is begun.
 */
export async function runArchiver(
  run: RunContext,
  progress: Progress,
  left: PlannedBatch | null,
  drain: AbortSignal,
): Promise<void> {
  if (left !== null) count(progress, await settleLeft(run, left, progress.mark))
  const high = await noticeMove(run, progress.mark)
  announce(run, progress.mark)
  const trusted = progress.mark > high || high === 0n ? await takeOver(run, progress, high) : true
  if (await checkAgain(run, progress, high, drain)) await storeWaiting(run, progress, drain, trusted)
}

function count(progress: Progress, { rows, mark }: Outcome): void {
  progress.rows += rows
  if (rows > 0 || mark !== progress.mark) progress.batches += 1
  progress.mark = mark
}

function announce({ archiver, watch, onEvent }: RunContext, mark: bigint): void {
  onEvent({ event: 'archiver.started', archiver: archiver.name, mark, upToId: watch.maxId })
}

function settleLeft(run: RunContext, left: PlannedBatch, mark: bigint): Promise<Outcome> {
  const batch = new BatchRun(run, left, mark)
  return mark > left.afterId ? batch.recoverOvertaken() : batch.recover()
}

/**
 * Sees whether somebody else moved the mark. A mark below the last batch, with no row between, was put there by the commit:
 * the last rows of the batch had been deleted.
 *
 * @returns the highest id that the catalogue knows to be stored.
 */
async function noticeMove({ archiver, ledger, source, onEvent }: RunContext, mark: bigint): Promise<bigint> {
  const high = await ledger.highPoint(archiver.name)
  const isMoved = mark > high || (mark < high && (await source.firstId({ afterId: mark, upToId: high })) !== null)
  if (isMoved) onEvent({ event: 'mark.moved', archiver: archiver.name, from: high, to: mark })
  return high
}

/**
 * Above a mark that is not the end of a batch of ours, another program may have stored rows and died before it marked
 * them. They become one batch, which is looked up before anything of it is written. Only then goes on record that what
 * the mark has passed is that program's: until then every run looks again.
 *
 * @returns whether the archive could be read: only then is nothing of the rest in it.
 */
async function takeOver(run: RunContext, progress: Progress, high: bigint): Promise<boolean> {
  run.lease.assertHeld()
  const { mark } = progress
  const ahead = await heldAhead(run, mark)
  const batch = typeof ahead === 'bigint' ? await planAhead(run, mark, ahead) : null
  if (batch !== null) count(progress, await new BatchRun(run, batch, mark).recover())
  if (mark > high) await run.ledger.noteForeign(run.archiver.name, { afterId: high, upToId: mark })
  return ahead !== 'unreadable'
}

/** A batch over the rows above the mark that the archive holds; null where the source has none of them. */
async function planAhead(run: RunContext, mark: bigint, upToId: bigint): Promise<PlannedBatch | null> {
  const firstId = await firstToStore(run, { afterId: mark, upToId })
  return firstId === null ? null : plan(run, { afterId: mark, firstId, upToId })
}

/**
 * Behind a mark that was set back everything is looked up in the archive before it is written.
 *
 * @returns whether all is checked: only then may rows be stored without a look.
 */
async function checkAgain(run: RunContext, progress: Progress, high: bigint, drain: AbortSignal): Promise<boolean> {
  while (progress.mark < high) {
    if (drain.aborted) return false
    run.lease.assertHeld()
    const batch = await planCheck(run, progress.mark, high)
    if (batch === null) return true
    const outcome = await new BatchRun(run, batch, progress.mark).recover()
    const stuck = outcome.mark === progress.mark
    count(progress, outcome)
    if (stuck) return false
  }
  return true
}

/**
 * The finished batch that holds the first row after the mark, or a new one over rows that the catalogue does not know, or
 * over what the cleaner has left of a finished one. Null where no row is left.
 */
async function planCheck(run: RunContext, mark: bigint, high: bigint): Promise<PlannedBatch | null> {
  const { archiver, ledger } = run
  const firstId = await firstToStore(run, { afterId: mark, upToId: high })
  if (firstId === null) return null
  const done = await ledger.doneAfter(archiver.name, firstId - 1n)
  if (done === null) return planWithin(run, firstId - 1n, firstId, high)
  if (firstId <= done.afterId) return planWithin(run, firstId - 1n, firstId, lowerId(done.afterId, high))
  const isWhole = done.firstId > (await ledger.deletedUpTo()) && (await isFirst(run, done))
  if (!isWhole) return planWithin(run, firstId - 1n, firstId, done.upToId)
  await ledger.reopen(done)
  return done
}

/** Whether the batch's first row is still the first of its range. Rows that were skipped may be before it. */
async function isFirst(run: RunContext, batch: PlannedBatch): Promise<boolean> {
  const first = await run.source.firstId(batch)
  return first === batch.firstId || (await firstToStore(run, batch)) === batch.firstId
}

/** The first row of the range that nobody has skipped; null where there is none. */
async function firstToStore({ source, skipped }: RunContext, { afterId, upToId }: SourceRange): Promise<bigint | null> {
  let id = await source.firstId({ afterId, upToId })
  while (id !== null && skipped.includes(id)) id = await source.firstId({ afterId: id, upToId })
  return id
}

/** @param trusted - whether the archive is known to hold none of these rows: then no batch is looked up first. */
async function storeWaiting(run: RunContext, progress: Progress, drain: AbortSignal, trusted: boolean): Promise<void> {
  let limit = run.watch.maxId
  let stuckAt: bigint | undefined
  while (!drain.aborted) {
    run.lease.assertHeld()
    const batch = await planNew(run, progress.mark, limit)
    if (batch === null) return
    if (batch.firstId === stuckAt) throw noProgress(batch, `the mark stays at ${progress.mark}`)
    const planned = new BatchRun(run, batch, progress.mark)
    const outcome = await (trusted ? planned.store() : planned.recover())
    const next = lowerId(limit, outcome.stopAfterId ?? limit)
    // The rows of a batch may all have been deleted meanwhile: then the next batch begins behind them.
    stuckAt = outcome.mark <= progress.mark && next >= limit ? batch.firstId : undefined
    count(progress, outcome)
    limit = next
  }
}

async function planNew(run: RunContext, mark: bigint, limit: bigint): Promise<PlannedBatch | null> {
  const { archiver, source } = run
  const waiting = { afterId: mark, upToId: limit }
  if (!(await enoughWait(source, waiting, archiver.policy.minRows))) return null
  const firstId = await firstToStore(run, waiting)
  return firstId === null ? null : planWithin(run, mark, firstId, limit)
}

async function planWithin(run: RunContext, afterId: bigint, firstId: bigint, limit: bigint): Promise<PlannedBatch> {
  return plan(run, { afterId, firstId, upToId: lowerId(largestBatch(run, firstId), limit) })
}

/** Where a batch of the most rows would end. */
function largestBatch({ archiver }: RunContext, firstId: bigint): bigint {
  return firstId + BigInt(archiver.policy.maxRows) - 1n
}

async function plan(
  { archiver, ledger, onEvent }: RunContext,
  range: Pick<PlannedBatch, 'afterId' | 'firstId' | 'upToId'>,
): Promise<PlannedBatch> {
  await faultPoint('plan.before')
  const batch = await ledger.plan({ archiver: archiver.name, ...range })
  await faultPoint('plan.after')
  onEvent({ event: 'batch.planned', batch })
  return batch
}
