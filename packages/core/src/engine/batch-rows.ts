import { withoutIds } from '../chunk/select-rows.js'
import { type BatchSource, type PlannedBatch, placeOf } from '../contract/batch.js'
import { ArchiverError } from '../contract/errors.js'
import type { LogScoreChunk } from '../contract/log-score.js'
import type { Source } from '../contract/source.js'
import { notDeleted } from './deleted-rows.js'

/**
 * The source's rows of a batch while it is looked up in the archive. Every read must return the same rows: rows that come
 * or go meanwhile would make the answer wrong.
 */
export class BatchRows implements BatchSource {
  /** The sum of the ids, modulo 2^64. Undefined before the first read has come to its end. */
  idSum: bigint | undefined
  readonly batch: PlannedBatch
  readonly #source: Source
  /** Rows that an operator has taken out, ascending. */
  readonly #skipped: BigUint64Array

  constructor(source: Source, batch: PlannedBatch, skipped: BigUint64Array) {
    this.#source = source
    this.batch = batch
    this.#skipped = skipped
  }

  async *read(): AsyncGenerator<LogScoreChunk> {
    const sum = new IdSum()
    const rows = this.#source.read(this.batch, this.batch.upToId, this.#skipped)
    for await (const chunk of withoutIds(rows, this.#skipped)) {
      sum.add(chunk)
      yield chunk
    }
    this.requireSame(sum.value)
  }

  unexplained(ids: readonly bigint[]): Promise<readonly bigint[]> {
    return notDeleted(this.#source, ids)
  }

  /** @throws ArchiverError (ROWS_DIFFER), retryable, when another read returned other rows. */
  requireSame(idSum: bigint): void {
    this.idSum ??= idSum
    if (this.idSum === idSum) return
    throw new ArchiverError(
      `batch ${this.batch.id}: rows were deleted from ${this.batch.table} or added to it during the look-up`,
      {
        code: 'ROWS_DIFFER',
        ...placeOf(this.batch),
        hint: 'Nothing was marked; the next try checks what the archive holds.',
        retryable: true,
      },
    )
  }
}

/** The sum of ids, modulo 2^64. */
export class IdSum {
  value = 0n

  add({ id, rows }: LogScoreChunk): void {
    let sum = this.value
    for (let i = 0; i < rows; i++) sum += id[i]!
    this.value = BigInt.asUintN(64, sum)
  }
}
