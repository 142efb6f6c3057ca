import {
  type ArchiveReader,
  type Archiver,
  digestOf,
  type IdRange,
  joinSpans,
  type LogScore,
  readerOf,
  rowsFromChunk,
  type ScanQuery,
} from '@archiver/core'
import { type Finding, type Verification, type VerifySource, verifyArchive } from '@archiver/core/reconcile'
import type { ReaderSubject } from './reader-subject.js'
import { reusedChunks } from './source.js'
import { rowsPerChunk, Workbench } from './workbench.js'

/** One table of an archive that is read back. */
export class ReaderBench extends Workbench {
  override readonly subject: ReaderSubject
  #identities: string[] = []
  #batches = 0n
  #archiver: Archiver | undefined

  constructor(subject: ReaderSubject, table: string) {
    super(subject, table)
    this.subject = subject
  }

  /** Stores the rows as batches of so many. */
  async fill(rows: readonly LogScore[], rowsPerBatch: number): Promise<void> {
    const archiver = await this.start()
    for (let at = 0; at < rows.length; at += rowsPerBatch) {
      const some = rows.slice(at, at + rowsPerBatch)
      const { identity } = await this.store(archiver, this.batch(archiver, ++this.#batches, some), some)
      this.#identities.push(identity)
    }
  }

  /** The reader of an adapter that was never prepared. */
  async reader(): Promise<ArchiveReader> {
    this.#archiver ??= await this.open()
    return readerOf(this.#archiver)
  }

  async readRange(range: IdRange): Promise<LogScore[]> {
    const rows: LogScore[] = []
    const reader = await this.reader()
    for await (const chunk of reader.read(this.table, range, new AbortController().signal)) {
      rows.push(...rowsFromChunk(chunk))
    }
    return rows
  }

  async scan(query: ScanQuery): Promise<LogScore[]> {
    const rows: LogScore[] = []
    const reader = await this.reader()
    for await (const chunk of reader.scan(this.table, query, new AbortController().signal)) {
      rows.push(...rowsFromChunk(chunk))
    }
    return rows
  }

  async digest(range: IdRange) {
    const reader = await this.reader()
    return reader.digest(this.table, range, new AbortController().signal)
  }

  /** Compares the archive with these rows as its source. @param nextId - the next id of the source; default: none was handed out. */
  async verify(
    source: readonly LogScore[],
    deep: boolean,
    skipped: readonly bigint[] = [],
    nextId = 0n,
    range = rangeOf(source),
  ): Promise<Verification> {
    return verifyArchive({
      source: sourceOf(source, nextId),
      reader: await this.reader(),
      table: this.table,
      range,
      skipped: BigUint64Array.from(skipped),
      identities: this.#identities,
      deep,
      signal: new AbortController().signal,
    })
  }

  /** What is found, with the sums first and then with every column; both must find the same. */
  async findings(source: readonly LogScore[], skipped: readonly bigint[] = []): Promise<readonly Finding[]> {
    const found = []
    for (const deep of [false, true]) found.push((await this.verify(source, deep, skipped)).named)
    if (JSON.stringify(found[0], plain) !== JSON.stringify(found[1], plain)) {
      throw new Error(`found by sums and by columns: ${JSON.stringify(found, plain)}`)
    }
    return found[0]!
  }
}

/** All ids of the rows. */
export function rangeOf(rows: readonly LogScore[]): IdRange {
  return { afterId: rows[0]!.id - 1n, upToId: rows.at(-1)!.id }
}

function plain(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}` : value
}

/** Rows as a source that can be verified against. @param nextId - rows below it that are not there were deleted. */
function sourceOf(rows: readonly LogScore[], nextId: bigint): VerifySource {
  const within = ({ afterId, upToId }: IdRange) => rows.filter(({ id }) => id > afterId && id <= upToId)
  return {
    firstId: async (range) => within(range)[0]?.id ?? null,
    nextId: async () => nextId,
    existingIds: async (ids) => ids.filter((id) => rows.some((row) => row.id === id)),
    read: (range) => reusedChunks(within(range), rowsPerChunk),
    digest: async (range, without) => {
      const all = within(range)
      const counted = all.filter(({ id }) => !without.includes(id))
      const times = joinSpans(all.map(({ tsSeconds }) => ({ fromSeconds: tsSeconds, toSeconds: tsSeconds })))
      return { ...(await digestOf(reusedChunks(counted, rowsPerChunk))), times }
    },
  }
}
