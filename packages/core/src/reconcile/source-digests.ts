import type { IdRange, RangeDigest, TimeSpan } from '../contract/archive-reader.js'
import type { SourceDigest, VerifySource } from '../contract/verify-source.js'
import { lowerId } from '../values/ids.js'
import { joinSpans } from '../values/time-spans.js'
import { noRows, sumOf } from './digests.js'

/** Ids of one statement: a second or so of one server thread, after which progress can be told. */
const IDS_A_STATEMENT = 500_000n
/** The server computes on as many threads. */
const STATEMENTS_AT_ONCE = 3

/** Asks a source for digests, a slice at a time, several at once, without the rows that an operator took out. */
export class SourceDigests {
  private readonly source: VerifySource
  private readonly skipped: BigUint64Array
  private readonly signal: AbortSignal

  constructor(source: VerifySource, skipped: BigUint64Array, signal: AbortSignal) {
    this.source = source
    this.skipped = skipped
    this.signal = signal
  }

  /** @param onSlice - called with the rows of each slice, not in order. */
  async of(range: IdRange, onSlice: (rows: number) => void = () => undefined): Promise<SourceDigest> {
    let total: RangeDigest = noRows
    let times: TimeSpan[] = []
    const slices = this.slicesOf(range)
    const work = async (): Promise<void> => {
      for await (const slice of slices) {
        this.signal.throwIfAborted()
        const digest = await this.source.digest(slice, this.skippedIn(slice))
        total = sumOf(total, digest)
        times = joinSpans([...times, ...digest.times])
        onSlice(Number(digest.rows))
      }
    }
    const ends = await Promise.allSettled(Array.from({ length: STATEMENTS_AT_ONCE }, work))
    const failed = ends.find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
    return { ...total, times }
  }

  /** Slices that hold rows; a wide gap in the ids costs one question. */
  private async *slicesOf({ afterId, upToId }: IdRange): AsyncGenerator<IdRange> {
    for (let next = afterId; next < upToId; ) {
      const firstId = await this.source.firstId({ afterId: next, upToId })
      if (firstId === null) return
      next = lowerId(firstId - 1n + IDS_A_STATEMENT, upToId)
      yield { afterId: firstId - 1n, upToId: next }
    }
  }

  private skippedIn({ afterId, upToId }: IdRange): bigint[] {
    return [...this.skipped.filter((id) => id > afterId && id <= upToId)]
  }
}
