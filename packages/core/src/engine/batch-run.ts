import { type PlannedBatch, placeOf, type StoredRows } from '../contract/batch.js'
import { ArchiverError, inOperation, RowError } from '../contract/errors.js'
import { faultPoint } from '../contract/fault.js'
import { BatchRows } from './batch-rows.js'
import { enoughWait } from './due.js'
import { holdsAny } from './held-ahead.js'
import { OpenHole } from './holes.js'
import { noProgress } from './no-progress.js'
import type { RunContext } from './run-context.js'
import { countRows, type Written, writeRows } from './write-rows.js'

/**
 * A batch ends early before a row of the source that no chunk can hold, then before one that the archive cannot hold, and
 * before gaps that open meanwhile. After more than these, something still refuses rows that are no longer in the batch.
 */
const MAX_SHORTENINGS = 10

const NO_IDS = new BigUint64Array()

/** How a planned batch ended. */
export interface Outcome {
  /** Rows that this run wrote, or found in the archive. */
  readonly rows: number
  /** Where the mark is now. */
  readonly mark: bigint
  /** Set where no row after it can be stored in this run: a gap is open, or all rows are skipped. */
  readonly stopAfterId?: bigint
}

/** What the look-up of a batch found. */
interface Found {
  readonly held: StoredRows
  /** The source's rows that the archive was compared with. */
  readonly rows: BatchRows
}

/**
 * One planned batch until it is committed, or given up.
 *
 * ```
 *   planned ──────────────── write ───────────────┐
 *    │  │                                         ▼
 *    │  └─ lookUp ─▶ looked up ─ write, count ─▶ written ─ commit ─▶ committed
 *    │
 *    ├─ shorten ───▶ shortened: planned again, with an end before the row that cannot be stored now
 *    ├─ withdraw ──▶ withdrawn: it has no row that can be stored now, and the archive holds none of it
 *    └─ supersede ─▶ superseded: another program moved the mark past its start, and the archive holds none of it
 * ```
 *
 * An object stands for one planned range and does not change; `shorten` returns another one. A process that dies leaves a
 * planned batch, whatever was written of it: {@link recover} looks it up.
 */
export class BatchRun {
  readonly #run: RunContext
  readonly #batch: PlannedBatch
  readonly #mark: bigint
  /** How often the batch has been shortened. */
  readonly #shortenings: number

  constructor(run: RunContext, batch: PlannedBatch, mark: bigint, shortenings = 0) {
    this.#run = run
    this.#batch = batch
    this.#mark = mark
    this.#shortenings = shortenings
  }

  /** Stores and commits a batch of which the archive holds nothing. */
  store(): Promise<Outcome> {
    return this.#finish(NO_IDS)
  }

  /**
   * Finishes the batch with exactly its own range, whatever the settings are now. Where a row of it cannot be stored, the
   * batch ends before that row.
   *
   * @throws RowError for that row, once the rows before it are stored.
   */
  async recover(): Promise<Outcome> {
    let found: Found
    try {
      found = await this.#lookUp()
    } catch (error) {
      if (error instanceof RowError && (await this.#mayEndBefore(error.id))) await this.#endAt(error.id - 1n, 1)
      throw error
    }
    return this.#complete(found)
  }

  /**
   * Settles a batch past whose start another program has moved the mark: finishes it if the archive holds any of it, else
   * gives it up, since its rows are that program's.
   */
  async recoverOvertaken(): Promise<Outcome> {
    try {
      const found = await this.#lookUpOvertaken()
      return found === null ? await this.#supersede() : await this.#complete(found)
    } catch (error) {
      if (error instanceof RowError) return this.#recoverOvertakenBefore(error)
      throw error
    }
  }

  /** A row that cannot be stored is not in the archive. Where the mark has passed it, it does not matter any more. */
  async #recoverOvertakenBefore(error: RowError): Promise<Outcome> {
    const { firstId, upToId } = this.#batch
    if (this.#mark < upToId && !(await this.#mayEndBefore(error.id))) throw error
    if (error.id <= firstId) return this.#supersede()
    const shorter = await this.#shorten(error.id - 1n)
    return shorter.recoverOvertaken()
  }

  /** planned → looked up */
  async #lookUp(): Promise<Found> {
    const { source, skipped, archiver, lease, onEvent } = this.#run
    const batch = this.#batch
    await faultPoint('recover.before')
    const rows = new BatchRows(source, batch, skipped)
    const held = await inOperation(placeOf(batch, 'look up'), () => archiver.findStored(batch, rows, lease))
    await faultPoint('recover.after')
    onEvent({ event: 'batch.recovering', batch, held: held.kind })
    const { deletedRows = 0 } = held
    if (deletedRows > 0) onEvent({ event: 'batch.deleted-rows', batch, rows: deletedRows })
    return { held, rows }
  }

  /**
   * planned → looked up, or null where the batch is to be given up. The other program's files need not end where the batch
   * does, and a file that goes on beyond the batch is an error of the look-up. None of them goes on beyond the mark: where
   * the archive holds every row up to there, all of them count as that program's.
   */
  async #lookUpOvertaken(): Promise<Found | null> {
    // Rows that have been deleted from the source since are behind every mark: there is nothing to settle.
    if ((await this.#run.source.firstId(this.#batch)) === null) return null
    try {
      const found = await this.#lookUp()
      return found.held.kind === 'none' ? null : found
    } catch (error) {
      if (this.#mark <= this.#batch.upToId || !(error instanceof ArchiverError) || error.retryable) throw error
      const upToTheMark = await this.#endingAt(this.#mark)
        .#lookUp()
        .catch(() => undefined)
      if (upToTheMark?.held.kind !== 'all') throw error
      return null
    }
  }

  /** looked up → committed */
  async #complete(found: Found): Promise<Outcome> {
    const { held, rows } = found
    if (held.kind === 'all') return this.#commit(await countRows(this.#run, rows, held.result))
    return this.#finish(held.kind === 'some' ? held.ids : NO_IDS)
  }

  /** Writes what the archive does not hold, up to a row that cannot be stored if there is one, and commits. */
  async #finish(held: BigUint64Array): Promise<Outcome> {
    try {
      return await this.#commit(await writeRows(this.#run, this.#batch, held))
    } catch (error) {
      const lastId = lastBefore(error)
      if (lastId === null) throw error
      // What the archive holds already cannot be left out of its batch, which stays planned.
      if ((held.at(-1) ?? 0n) > lastId || (await this.#holdsPassed(error))) throw error
      const minRows = error instanceof RowError ? 1 : this.#run.archiver.policy.minRows
      const outcome = await this.#endAt(lastId, minRows)
      if (error instanceof RowError) throw error
      return outcome
    }
  }

  /** written → committed */
  async #commit({ result, tally, clock }: Written): Promise<Outcome> {
    const { ledger, lease, onEvent } = this.#run
    const batch = this.#batch
    if (tally.rows === 0) return this.#withdraw(batch.upToId)
    clock.stored()
    const record = tally.record(result)
    const move = { from: this.#mark, to: await this.#nextMark(record.lastId) }
    await faultPoint('commit.before')
    lease.assertHeld()
    const mark = await inOperation(placeOf(batch, 'commit'), () => ledger.commit(batch, record, move))
    await faultPoint('commit.after')
    onEvent({ event: 'batch.done', batch, record, conversions: result.conversions ?? {}, ...clock.done })
    const { unarchived } = tally
    if (unarchived !== null) onEvent({ event: 'batch.unarchived', batch, unarchived })
    return { rows: result.rows, mark }
  }

  /** The mark moves to the batch's last row, but never back, and never over rows between itself and the batch. */
  async #nextMark(lastId: bigint): Promise<bigint> {
    const mark = this.#mark
    const { afterId } = this.#batch
    if (mark >= lastId) return mark
    const between = mark < afterId ? await this.#run.source.firstId({ afterId: mark, upToId: afterId }) : null
    return between === null ? lastId : mark
  }

  /**
   * Ends the batch at `lastId`, and stores and commits what is left of it. Fewer rows than `minRows` wait instead, unless the
   * archive holds some of them.
   */
  async #endAt(lastId: bigint, minRows: number): Promise<Outcome> {
    if (lastId < this.#batch.firstId) return this.#withdraw(lastId)
    const shorter = await this.#shorten(lastId)
    const found = await shorter.#lookUp()
    const isTooSmall = found.held.kind === 'none' && !(await enoughWait(this.#run.source, shorter.#batch, minRows))
    if (isTooSmall) return shorter.#withdraw(lastId)
    return { ...(await shorter.#complete(found)), stopAfterId: lastId }
  }

  /**
   * planned → shortened
   *
   * @throws ArchiverError (NO_PROGRESS) where it does not become shorter, or was shortened too often.
   */
  async #shorten(lastId: bigint): Promise<BatchRun> {
    const { ledger, onEvent } = this.#run
    if (this.#shortenings === MAX_SHORTENINGS)
      throw noProgress(this.#batch, `it was ended before a row ${MAX_SHORTENINGS} times`)
    if (lastId >= this.#batch.upToId)
      throw noProgress(this.#batch, `it cannot end at ${lastId}, which is not before its end`)
    const batch = await ledger.shorten(this.#batch, lastId)
    onEvent({ event: 'batch.shortened', batch })
    return new BatchRun(this.#run, batch, this.#mark, this.#shortenings + 1)
  }

  /** planned → withdrawn */
  async #withdraw(stopAfterId: bigint): Promise<Outcome> {
    await this.#run.ledger.withdraw(this.#batch)
    return { rows: 0, mark: this.#mark, stopAfterId }
  }

  /** planned → superseded */
  async #supersede(): Promise<Outcome> {
    await this.#run.ledger.supersede(this.#batch)
    this.#run.onEvent({ event: 'batch.superseded', batch: this.#batch })
    return { rows: 0, mark: this.#mark }
  }

  /**
   * Whether the archive holds nothing of the batch from this row on. It may hold some where the row could be stored once
   * and was changed since: those rows cannot be left out of their batch, which stays planned.
   */
  async #mayEndBefore(id: bigint): Promise<boolean> {
    // The look-up waits until what is in flight has settled.
    if (id > this.#batch.firstId) await this.#endingAt(id - 1n).#lookUp()
    return !(await holdsAny(this.#run, { afterId: id - 1n, upToId: this.#batch.upToId }))
  }

  /** Whether the archive holds rows behind a gap that was seen too late. */
  async #holdsPassed(error: unknown): Promise<boolean> {
    return error instanceof OpenHole && error.passed && (await this.#lookUp()).held.kind !== 'none'
  }

  /** The same batch with another end, for a look-up. The ledger does not know of it. */
  #endingAt(upToId: bigint): BatchRun {
    return new BatchRun(this.#run, { ...this.#batch, upToId }, this.#mark, this.#shortenings)
  }
}

/** The last row that a batch may have because of this error; null for an error that has nothing to do with a row. */
function lastBefore(error: unknown): bigint | null {
  if (error instanceof OpenHole) return error.lastId
  return error instanceof RowError ? error.id - 1n : null
}
