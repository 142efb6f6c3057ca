import { ArchiverError, RowError } from '../errors.js'
import { lowerId } from '../ids.js'
import type { Archiver, LogScoreChunk, Permit, PlannedBatch, StoreResult } from '../types.js'
import { enoughWait } from './due.js'
import type { OnEvent } from './events.js'
import type { Ledger } from './ledger.js'
import { withoutHeld } from './missing.js'
import type { Source } from './source.js'
import { Tally, tallied } from './tally.js'

/** What one archiver works with in a pass. */
export interface ArchiverRun {
  readonly archiver: Archiver
  readonly ledger: Ledger
  readonly source: Source
  readonly permit: Permit
  readonly onEvent: OnEvent
}

/**
 * Brings one archive up to date: finishes a batch that an earlier run left behind, then plans, stores and commits
 * batches while at least `minRows` rows wait.
 *
 * @param start - the mark.
 * @param left - the batch that was planned and not finished.
 * @returns the rows and batches that were committed.
 */
export async function runArchiver(
  run: ArchiverRun,
  start: bigint | null,
  left: PlannedBatch | null,
): Promise<{ rows: number; batches: number }> {
  const done = { rows: 0, batches: 0 }
  let mark = start ?? 0n
  const count = ({ rows, lastId }: Committed): void => {
    done.rows += rows
    done.batches += 1
    mark = lastId
  }
  if (left !== null) count(await recover(run, left, mark))
  const settled = (await run.source.settledMaxId()) ?? 0n
  for (;;) {
    run.permit.check()
    const batch = await planNext(run, mark, settled, done.batches === 0)
    if (batch === null) return done
    count(await finish(run, batch))
  }
}

interface Committed {
  readonly rows: number
  readonly lastId: bigint
}

async function planNext(run: ArchiverRun, mark: bigint, settled: bigint, first: boolean): Promise<PlannedBatch | null> {
  const { archiver, source, ledger, onEvent } = run
  const { minRows, maxRows } = archiver.batch
  const waiting = { afterId: mark, upToId: settled }
  if (!(await enoughWait(source, waiting, minRows))) return null
  const firstId = await source.firstId(waiting)
  if (firstId === null) return null
  if (first) onEvent({ event: 'archiver.started', archiver: archiver.name, mark, firstId, upToId: settled })
  const upToId = lowerId(firstId + BigInt(maxRows) - 1n, settled)
  const batch = await ledger.plan({ archiver: archiver.name, afterId: mark, firstId, upToId })
  onEvent({ event: 'batch.planned', batch })
  return batch
}

/** What of a batch's rows is to be stored. */
type Select = (chunks: AsyncIterable<LogScoreChunk>) => AsyncIterable<LogScoreChunk>

/** Stores what is missing of a batch, and commits it; up to a row that cannot be stored, if there is one. */
async function finish(run: ArchiverRun, batch: PlannedBatch, select: Select = (all) => all): Promise<Committed> {
  try {
    return await storeRows(run, batch, select)
  } catch (error) {
    if (!(error instanceof RowError)) throw error
    await storeBefore(run, batch, error.id)
    throw error
  }
}

/** Ends the batch before a row that cannot be stored, so that the rows before it are archived and marked. */
async function storeBefore(run: ArchiverRun, batch: PlannedBatch, unfitId: bigint): Promise<void> {
  if (unfitId <= batch.firstId) return run.ledger.withdraw(batch)
  await recover(run, await run.ledger.shorten(batch, unfitId - 1n), batch.afterId)
}

/** Finishes a planned batch with exactly its own range, whatever the settings are now. */
async function recover(run: ArchiverRun, batch: PlannedBatch, mark: bigint): Promise<Committed> {
  if (mark !== batch.afterId) throw markMoved(batch, mark)
  const held = await run.archiver.stored(batch, () => run.source.read(batch), run.permit)
  run.onEvent({ event: 'batch.recovering', batch, held: held.kind })
  if (held.kind === 'none') return finish(run, batch)
  if (held.kind === 'some') return finish(run, batch, (chunks) => withoutHeld(chunks, held.ids))
  const tally = new Tally(batch)
  for await (const _ of tallied(run.source.read(batch), tally, () => undefined));
  return commit(run, batch, tally, held.result, performance.now())
}

async function storeRows(run: ArchiverRun, batch: PlannedBatch, select: Select): Promise<Committed> {
  const startedMs = performance.now()
  const tally = new Tally(batch)
  const progress = (): void => run.onEvent({ event: 'batch.progress', batch, rows: tally.rows, lastId: tally.last })
  const chunks = tallied(run.source.read(batch), tally, progress)
  const result = await run.archiver.store(batch, select(chunks), run.permit)
  return commit(run, batch, tally, result, startedMs)
}

async function commit(
  run: ArchiverRun,
  batch: PlannedBatch,
  tally: Tally,
  result: StoreResult,
  startedMs: number,
): Promise<Committed> {
  if (result.rows > tally.rows) throw moreThanRead(batch, result.rows, tally.rows)
  if (tally.rows === 0) {
    await run.ledger.withdraw(batch)
    return { rows: 0, lastId: batch.afterId }
  }
  run.permit.check()
  const record = tally.record(result)
  await run.ledger.commit(batch, record)
  const elapsedMs = performance.now() - startedMs
  run.onEvent({ event: 'batch.done', batch, record, conversions: result.conversions ?? {}, elapsedMs })
  return record
}

function moreThanRead(batch: PlannedBatch, stored: number, read: number): ArchiverError {
  const why = `batch ${batch.id}: the adapter reports ${stored} rows stored, the source had ${read}`
  return new ArchiverError(why, { code: 'ROWS_DIFFER', ...placeOf(batch), hint: 'Nothing was marked.' })
}

function markMoved(batch: PlannedBatch, mark: bigint): ArchiverError {
  const why = `batch ${batch.id} was planned after id ${batch.afterId}, but the mark is ${mark} now`
  return new ArchiverError(why, {
    code: 'MARK_MOVED',
    ...placeOf(batch),
    hint: `Somebody moved the mark. Set it back in ${batch.table}_archive_status, so that the batch can be finished.`,
  })
}

function placeOf({ archiver, table, afterId, upToId }: PlannedBatch): {
  archiver: string
  table: string
  afterId: bigint
  upToId: bigint
} {
  return { archiver, table, afterId, upToId }
}
