import { ArchiverError, type IdRange, lowerId } from '@archiver/core'

/** A row that the server refuses to delete, and its answer. */
export interface RefusedRow {
  readonly id: bigint
  readonly error: ArchiverError
}

/** Whether the server refuses the deletion for good: a foreign key or a trigger, not a lock or a lost connection. */
export function isRefusal(thrown: unknown): thrown is ArchiverError {
  return thrown instanceof ArchiverError && thrown.code === 'MYSQL_STATEMENT' && !thrown.retryable
}

/**
 * The row of a range that the server refuses to delete, found by halving the range.
 *
 * @param tryDelete - deletes a range in a transaction that is rolled back in the end.
 * @returns null where no row is refused.
 */
export async function findRefused(
  range: IdRange,
  tryDelete: (part: IdRange) => Promise<unknown>,
): Promise<RefusedRow | null> {
  let error = await refusal(tryDelete, range)
  if (error === null) return null
  let { afterId, upToId } = range
  while (upToId - afterId > 1n) {
    const middle = lowerId(afterId + (upToId - afterId) / 2n, upToId - 1n)
    const ofHalf = await refusal(tryDelete, { afterId, upToId: middle })
    if (ofHalf === null) afterId = middle
    else {
      upToId = middle
      error = ofHalf
    }
  }
  return { id: upToId, error }
}

async function refusal(tryDelete: (part: IdRange) => Promise<unknown>, part: IdRange): Promise<ArchiverError | null> {
  try {
    await tryDelete(part)
    return null
  } catch (thrown) {
    if (isRefusal(thrown)) return thrown
    throw thrown
  }
}
