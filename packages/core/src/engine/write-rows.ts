import { withoutIds } from '../chunk/select-rows.js'
import { type PlannedBatch, placeOf, type StoreResult } from '../contract/batch.js'
import { ArchiverError, inOperation } from '../contract/errors.js'
import { faultPoint } from '../contract/fault.js'
import type { LogScoreChunk } from '../contract/log-score.js'
import { type BatchRows, IdSum } from './batch-rows.js'
import { guardHoles } from './holes.js'
import type { RunContext } from './run-context.js'
import { StepClock } from './steps.js'
import { Tally, tallied } from './tally.js'

/** A batch that the archive holds as a whole, and what is to go on record of it. */
export interface Written {
  readonly result: StoreResult
  readonly tally: Tally
  readonly clock: StepClock
}

/** Stores those rows of the batch that the archive does not hold. */
export async function writeRows(run: RunContext, batch: PlannedBatch, held: BigUint64Array): Promise<Written> {
  const { archiver, lease, onEvent } = run
  const clock = new StepClock(archiver)
  const tally = new Tally(batch)
  const onChunk = (): void => onEvent({ event: 'batch.progress', batch, rows: tally.rows, lastId: tally.last })
  const chunks = tallied(clock.read(finalRows(run, batch)), tally, onChunk)
  await faultPoint('store.before')
  let given = 0
  const rest = counted(withoutIds(chunks, held), (rows) => {
    given += rows
  })
  const result = await inOperation(placeOf(batch, 'store'), () => archiver.store(batch, rest, lease))
  await faultPoint('store.after')
  if (result.rows !== given) throw rowsDiffer(batch, result.rows, given)
  // The rows that the archive lacked were deleted meanwhile: only a new look-up can say where the others are.
  if (given === 0 && tally.rows > 0) throw rowsDiffer(batch, held.length, tally.rows)
  return { result, tally, clock }
}

/** Reads the rows of a batch that the archive holds as a whole, for the catalogue. They are those of the look-up. */
export async function countRows(run: RunContext, rows: BatchRows, result: StoreResult): Promise<Written> {
  const { batch } = rows
  const tally = new Tally(batch)
  const clock = new StepClock(run.archiver)
  const sum = new IdSum()
  for await (const chunk of tallied(clock.read(finalRows(run, batch)), tally, () => undefined)) sum.add(chunk)
  rows.requireSame(sum.value)
  if (result.rows !== tally.rows) throw rowsDiffer(batch, result.rows, tally.rows)
  return { result, tally, clock }
}

/** The source's rows. The stream ends well only if no other row of the range can appear any more. */
function finalRows(run: RunContext, batch: PlannedBatch): AsyncIterable<LogScoreChunk> {
  const { source, watch, archiver, skipped } = run
  const more = watch.maxId - batch.upToId >= BigInt(archiver.policy.minRows)
  const rows = source.read(batch, more ? watch.maxId : batch.upToId, skipped)
  return withoutIds(guardHoles(rows, batch, run), skipped)
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

function rowsDiffer(batch: PlannedBatch, stored: number, read: number): ArchiverError {
  return new ArchiverError(`batch ${batch.id}: the archive reports ${stored} rows, the source had ${read}`, {
    code: 'ROWS_DIFFER',
    ...placeOf(batch, 'store'),
    hint: 'Nothing was marked; the next try checks what the archive holds.',
    retryable: true,
  })
}
