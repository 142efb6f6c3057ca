import { equalDigests } from '../chunk/digest.js'
import { withoutIds } from '../chunk/select-rows.js'
import type { ArchiveReader, IdRange, RangeDigest, RowRange } from '../contract/archive-reader.js'
import { ArchiverError } from '../contract/errors.js'
import type { LogScoreChunk } from '../contract/log-score.js'
import type { SourceDigest, VerifySource } from '../contract/verify-source.js'
import { higherId, lowerId } from '../values/ids.js'
import { compareRows } from './compare-rows.js'
import type { DeletedRows } from './deleted-rows-log.js'
import { halvesOf, piecesOf, restOf } from './digests.js'
import { type Finding, type FindingCounts, FindingLog } from './finding.js'
import { SourceDigests } from './source-digests.js'

export interface VerifyOptions {
  readonly source: VerifySource
  readonly reader: ArchiveReader
  readonly table: string
  /** Not beyond the archiver's mark. What lies below the source's first row is left out. */
  readonly range: IdRange
  /** Rows that an operator has taken out for this archiver, ascending: the archive must not have them. */
  readonly skipped: BigUint64Array
  /** Files and objects that the catalogue says hold rows of the range. */
  readonly identities: readonly string[]
  /**
   * The highest id of a row that the cleaner has deleted; 0 for none. Up to there the archive is read only around the rows that
   * the source still has (they were kept), and what else it holds is not compared. Default 0.
   */
  readonly cleanedUpTo?: () => Promise<bigint>
  /** Compare every column of every row, not only where the sums differ. */
  readonly deep: boolean
  /**
   * Looks for the ids of the range on other days than those of the source's rows, too: an archive without a key on the id
   * reads an id and a time of every row that it has for this. Default: only where at most 1,000 rows are missing, which
   * may be stored next.
   */
  readonly allDays?: boolean
  /** Findings that are named; the rest is counted. Default 100. */
  readonly mostNamed?: number
  readonly signal: AbortSignal
  readonly onProgress?: OnVerified
}

/** Told now and then of the rows compared since, of the range that is compared. */
export type OnVerified = (rows: number, range: IdRange) => void

export interface Verification {
  /** What was compared: the range asked for, from the source's first row on. Null where the source has none of it. */
  readonly range: IdRange | null
  /** The source's rows in it. Rows of a range whose sums were compared and then its columns count once. */
  readonly rows: number
  readonly counts: FindingCounts
  /** Rows that were deleted from the source after they had been stored (a deleted server, for example): not a difference. */
  readonly deleted: DeletedRows
  readonly named: readonly Finding[]
  /** Where rows are missing, as far as remembered: to store them. */
  readonly missing: readonly IdRange[]
  /** Whether there are missing rows that `missing` does not cover. */
  readonly missingMore: boolean
}

/** Ranges of so many ids, or fewer, are read and compared; larger ones that differ are halved. */
const READ_IDS = 20_000n

/** So many missing rows may be stored by whoever asks: before that, they are looked for on all days. */
const FEW_MISSING_ROWS = 1_000

/**
 * Compares an archive with the source over a range of ids: by sums first, where those differ by smaller sums, and in the
 * end row by row. Reads only; needs no lock. Memory is bounded whatever the range and whatever is wrong.
 *
 * @throws ArchiverError where source or archive cannot be asked at all; a file that cannot be read is a finding.
 */
export async function verifyArchive(options: VerifyOptions): Promise<Verification> {
  let work = new Verifier(options)
  const range = await work.begin()
  if (range !== null) {
    await work.verify(range)
    if (await work.overlooksRows()) {
      work = new Verifier({ ...options, onProgress: () => undefined }, false)
      await work.verify(range)
    }
  }
  const { log } = work
  return {
    range,
    rows: work.rows,
    counts: log.counts,
    deleted: log.deleted.result,
    named: log.named,
    missing: log.missing,
    missingMore: log.missingMore,
  }
}

type OnRows = (rows: number) => void

class Verifier {
  readonly log: FindingLog
  rows = 0
  private readonly options: VerifyOptions
  private readonly sums: SourceDigests
  private readonly byTime: boolean
  /** The parts of the range that were compared. */
  private readonly parts: IdRange[] = []
  /** What was asked of the archive: ids and days. */
  private readonly asked: RowRange[] = []

  /** @param byTime - whether the archive is told when the rows were measured, so that it need not look at other days. */
  constructor(options: VerifyOptions, byTime = true) {
    this.options = options
    this.byTime = byTime && options.reader.layout === 'table'
    this.log = new FindingLog(options.mostNamed ?? 100)
    this.sums = new SourceDigests(options.source, options.skipped, options.signal)
  }

  /** The range from the source's first row on. */
  async begin(): Promise<IdRange | null> {
    const { range } = this.options
    const lowest = await this.lowestId()
    if (lowest === null || lowest > range.upToId) return null
    return lowest > range.afterId ? { ...range, afterId: lowest - 1n } : range
  }

  async verify(range: IdRange): Promise<void> {
    const { reader, table, signal, identities } = this.options
    const gone = (await reader.missingFiles?.(table, identities, signal)) ?? []
    for (const identity of gone) this.log.add({ kind: 'gone', identity })
    for await (const part of this.partsOf(range)) {
      this.parts.push(part)
      await this.verifyPart(part, range)
    }
  }

  /** Where the cleaner has been, the source has few rows, and the archive all: only what is near those rows is compared. */
  private async *partsOf(range: IdRange): AsyncGenerator<IdRange> {
    const cleanedUpTo = lowerId(await this.cleanedUpTo(), range.upToId)
    let part: IdRange | undefined
    for (let afterId = range.afterId; afterId < cleanedUpTo; ) {
      const firstId = await this.options.source.firstId({ afterId, upToId: cleanedUpTo })
      if (firstId === null) break
      afterId = lowerId(firstId - 1n + READ_IDS, cleanedUpTo)
      if (part !== undefined && firstId - part.upToId <= READ_IDS) part = { ...part, upToId: afterId }
      else {
        if (part !== undefined) yield part
        part = { afterId: firstId - 1n, upToId: afterId }
      }
    }
    const rest = { afterId: higherId(range.afterId, cleanedUpTo), upToId: range.upToId }
    if (part !== undefined && part.upToId === rest.afterId) yield { ...part, upToId: rest.upToId }
    else {
      if (part !== undefined) yield part
      if (rest.afterId < rest.upToId) yield rest
    }
  }

  private async verifyPart(part: IdRange, range: IdRange): Promise<void> {
    const { reader, table, signal, deep } = this.options
    const cuts = (await reader.splitPoints?.(table, part, signal)) ?? []
    const onRows = (rows: number): void => {
      this.rows += rows
      this.options.onProgress?.(rows, range)
    }
    for (const piece of piecesOf(part, cuts)) {
      signal.throwIfAborted()
      await this.unlessUnreadable(() =>
        deep ? this.compareAll(piece, part.upToId, onRows) : this.compareSums(piece, onRows),
      )
    }
  }

  /**
   * Whether the archive holds rows under the ids of the range on other days than those it was asked about: a row that was
   * not found may be there at another time, and another row under the id of one that was found.
   */
  async overlooksRows(): Promise<boolean> {
    const { reader, table, signal, allDays = false } = this.options
    const { missing } = this.log.counts
    if (this.asked.length === 0 || !(allDays || (missing > 0 && missing <= FEW_MISSING_ROWS))) return false
    let rows = 0n
    for (const part of this.parts) rows += (await reader.digest(table, part, signal)).rows
    let known = 0n
    for (const part of this.asked) known += (await reader.digest(table, part, signal)).rows
    return rows > known
  }

  private async compareSums(piece: IdRange, onRows: OnRows): Promise<void> {
    const { reader, table, signal } = this.options
    if (this.byTime) {
      const source = await this.sums.of(piece, onRows)
      const dated = this.dated(piece, source)
      return this.narrow(dated, source, await asked(reader.digest(table, dated, signal)))
    }
    const [source, archive] = await both(this.sums.of(piece, onRows), asked(reader.digest(table, piece, signal)))
    return this.narrow(piece, source, archive)
  }

  private async compareAll(piece: IdRange, soonUpToId: bigint, onRows: OnRows): Promise<void> {
    await this.compare(this.byTime ? this.dated(piece, await this.sums.of(piece)) : piece, soonUpToId, onRows)
  }

  /** Every question about a part of the range is asked for the same days: sums of parts must add up to that of the whole. */
  private dated({ afterId, upToId }: IdRange, { times }: SourceDigest): RowRange {
    if (times.length === 0) return { afterId, upToId }
    const dated = { afterId, upToId, times }
    this.asked.push(dated)
    return dated
  }

  /** Halves a range whose sums differ until it is small enough to be read. */
  private async narrow(range: RowRange, source: RangeDigest, archive: RangeDigest): Promise<void> {
    if (equalDigests(source, archive)) return
    const { reader, table, signal } = this.options
    const small = range.upToId - range.afterId <= READ_IDS
    // Where one side has nothing there is nothing to narrow down; files are read wholly for each sum.
    if (small || source.rows === 0n || archive.rows === 0n || reader.layout === 'files')
      return this.compare(range, range.upToId)
    const [left, right] = halvesOf(range)
    const [sourceLeft, archiveLeft] = await both(this.sums.of(left), asked(reader.digest(table, left, signal)))
    await this.narrow(left, sourceLeft, archiveLeft)
    await this.narrow(right, restOf(source, sourceLeft), restOf(archive, archiveLeft))
  }

  /** @param soonUpToId - how far will be read next. */
  private compare(range: RowRange, soonUpToId: bigint, onRows: OnRows = () => undefined): Promise<void> {
    const { source, reader, table, signal, skipped } = this.options
    return compareRows({
      source: withoutIds(source.read(range, soonUpToId, skipped), skipped),
      archived: reader.applyConversions?.bind(reader),
      archive: askedRows(reader.read(table, range, signal)),
      log: this.log,
      extraRows: { source, cleanedUpTo: () => this.cleanedUpTo() },
      onChunk: onRows,
    })
  }

  /** A file that cannot be read is a finding; the others are verified all the same. */
  private async unlessUnreadable(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (thrown) {
      if (!(thrown instanceof ReaderFailure)) throw thrown
      const { error } = thrown
      const ofAFile = error instanceof ArchiverError && !error.retryable && this.options.reader.layout === 'files'
      if (!ofAFile) throw error
      this.log.addOnce({ kind: 'unreadable', code: error.code, message: error.message })
    }
  }

  private cleanedUpTo(): Promise<bigint> {
    return this.options.cleanedUpTo?.() ?? Promise.resolve(0n)
  }

  private lowestId(): Promise<bigint | null> {
    return this.options.source.firstId({ afterId: 0n, upToId: 2n ** 64n - 1n })
  }
}

/** What the archive's reader threw, as opposed to the source. */
class ReaderFailure extends Error {
  readonly error: unknown

  constructor(error: unknown) {
    super('the archive could not be read')
    this.error = error
  }
}

async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    throw new ReaderFailure(error)
  }
}

async function* askedRows(chunks: AsyncIterable<LogScoreChunk>): AsyncGenerator<LogScoreChunk> {
  try {
    yield* chunks
  } catch (error) {
    throw new ReaderFailure(error)
  }
}

/** Both, or the first failure once neither is under way any more. */
async function both<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([a, b])
  return [await a, await b]
}
