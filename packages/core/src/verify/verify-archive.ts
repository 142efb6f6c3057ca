import type { ArchiveReader, IdRange, RangeDigest } from '../archive-reader.js'
import { equalDigests } from '../digest.js'
import { withoutIds } from '../engine/select-rows.js'
import { ArchiverError } from '../errors.js'
import type { LogScoreChunk } from '../types.js'
import { compareRows } from './compare-rows.js'
import { halvesOf, piecesOf, restOf } from './digests.js'
import { type Finding, type FindingCounts, FindingLog } from './finding.js'
import type { VerifySource } from './source.js'
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
  /** Compare every column of every row, not only where the sums differ. */
  readonly deep: boolean
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
  readonly named: readonly Finding[]
  /** Where rows are missing, as far as remembered: to store them. */
  readonly missing: readonly IdRange[]
  /** Whether there are missing rows that `missing` does not cover. */
  readonly missingMore: boolean
}

/** Ranges of so many ids, or fewer, are read and compared; larger ones that differ are halved. */
const READ_IDS = 20_000n

/**
 * Compares an archive with the source over a range of ids: by sums first, where those differ by smaller sums, and in the
 * end row by row. Reads only; needs no lock. Memory is bounded whatever the range and whatever is wrong.
 *
 * @throws ArchiverError where source or archive cannot be asked at all; a file that cannot be read is a finding.
 */
export async function verifyArchive(options: VerifyOptions): Promise<Verification> {
  const work = new Verifier(options)
  const { log } = work
  const range = await work.begin()
  if (range !== null) await work.verify(range)
  return {
    range,
    rows: work.rows,
    counts: log.counts,
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

  constructor(options: VerifyOptions) {
    this.options = options
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
    const { reader, table, signal, identities, deep } = this.options
    const gone = (await reader.gone?.(table, identities, signal)) ?? []
    for (const identity of gone) this.log.add({ kind: 'gone', identity })
    const cuts = (await reader.cuts?.(table, range, signal)) ?? []
    const onRows = (rows: number): void => {
      this.rows += rows
      this.options.onProgress?.(rows, range)
    }
    for (const piece of piecesOf(range, cuts)) {
      signal.throwIfAborted()
      await this.unlessUnreadable(() =>
        deep ? this.compare(piece, range.upToId, onRows) : this.compareSums(piece, onRows),
      )
    }
  }

  private async compareSums(piece: IdRange, onRows: OnRows): Promise<void> {
    const { reader, table, signal } = this.options
    const [source, archive] = await both(this.sums.of(piece, onRows), asked(reader.digest(table, piece, signal)))
    await this.narrow(piece, source, archive)
  }

  /** Halves a range whose sums differ until it is small enough to be read. */
  private async narrow(range: IdRange, source: RangeDigest, archive: RangeDigest): Promise<void> {
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
  private compare(range: IdRange, soonUpToId: bigint, onRows: OnRows = () => undefined): Promise<void> {
    const { source, reader, table, signal, skipped } = this.options
    return compareRows({
      source: withoutIds(source.read(range, soonUpToId), skipped),
      archived: reader.archived?.bind(reader),
      archive: askedRows(reader.read(table, range, signal)),
      log: this.log,
      lowestId: () => this.lowestId(),
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
