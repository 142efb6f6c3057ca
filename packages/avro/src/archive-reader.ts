import {
  type ArchiveReader,
  ArchiverError,
  digestOf,
  type IdRange,
  type LogScoreChunk,
  type RangeDigest,
  rowsInRange,
} from '@archiver/core'
import { ArchivedChunks, lostByVersion1 } from './archived-chunk.js'
import { mergeById } from './merge.js'

/** One Avro file of an archive, as far as its name and header tell. */
export interface AvroPart {
  /** The file or object, for messages. */
  readonly name: string
  /** The id of its first row, from the name. */
  readonly firstId: bigint
  /** No row has a higher id, from the metadata. Undefined for a file of the Go program, which says nothing of its end. */
  readonly upToId: bigint | undefined
  /** Streams its rows from the first on. */
  open(): AsyncIterable<LogScoreChunk>
}

/** Where an archive's Avro files are. */
export interface AvroShelf {
  /**
   * The files of the table, in any order. Those that cannot hold a row of the range may be left out, but not the last of
   * the files that begin before it.
   */
  parts(table: string, range: IdRange, signal: AbortSignal): Promise<readonly AvroPart[]>
  /** The names of everything that is there. */
  names(table: string, signal: AbortSignal): Promise<ReadonlySet<string>>
}

/** Reads an archive of Avro files back: files in a folder, objects in a bucket. */
export class AvroArchiveReader implements ArchiveReader {
  readonly lost = lostByVersion1
  readonly #archived = new ArchivedChunks()
  readonly #shelf: AvroShelf
  /** What was learned of files whose metadata does not say it. By name and first id. */
  readonly #lastIds = new Map<string, bigint>()

  constructor(shelf: AvroShelf) {
    this.#shelf = shelf
  }

  digest(table: string, range: IdRange, signal: AbortSignal): Promise<RangeDigest> {
    return digestOf(this.read(table, range, signal))
  }

  archived(chunk: LogScoreChunk): LogScoreChunk {
    return this.#archived.of(chunk)
  }

  async *read(table: string, range: IdRange, signal: AbortSignal): AsyncGenerator<LogScoreChunk> {
    const parts = this.#within(await this.#shelf.parts(table, range, signal), range)
    const streams = parts.map((part) => ({ firstId: part.firstId, open: () => this.#rows(part, range) }))
    for await (const chunk of mergeById(streams)) {
      signal.throwIfAborted()
      yield chunk
    }
  }

  /** Never inside a file: to read its second half is to read it wholly. Late rows have files within those of others. */
  async cuts(table: string, range: IdRange, signal: AbortSignal): Promise<bigint[]> {
    const parts = this.#within(await this.#shelf.parts(table, range, signal), range)
    const cuts = new Set<bigint>()
    let end = 0n
    for (const { firstId, lastId = firstId - 1n } of parts) {
      if (firstId > end) cuts.add(end).add(firstId - 1n)
      if (lastId > end) end = lastId
    }
    return [...cuts.add(end)].filter((id) => id > range.afterId && id < range.upToId)
  }

  async gone(table: string, identities: readonly string[], signal: AbortSignal): Promise<string[]> {
    const names = await this.#shelf.names(table, signal)
    // A batch that was found in several files has all their names.
    return identities.flatMap((identity) => identity.split(', ')).filter((name) => name !== '' && !names.has(name))
  }

  /** The files that may hold rows of the range, each with where it ends. */
  #within(parts: readonly AvroPart[], { afterId, upToId }: IdRange): readonly BoundedPart[] {
    const sorted = [...parts].sort((a, b) => (a.firstId < b.firstId ? -1 : 1))
    const bounded = sorted.map((part, i) => ({ ...this.#bounds(part, sorted.slice(i + 1)), part }))
    return bounded
      .filter(({ part, lastId }) => part.firstId <= upToId && (lastId === undefined || lastId > afterId))
      .map(({ part, ...bounds }) => ({ ...part, ...bounds }))
  }

  /**
   * The Go program wrote one file after the other, so one of its files ends before the next begins; {@link #rows} sees
   * to it. The end of its last one is learned by reading it.
   */
  #bounds(part: AvroPart, later: readonly AvroPart[]): Bounds {
    if (part.upToId !== undefined) return { lastId: part.upToId, next: undefined }
    const next = later.find(({ upToId, firstId }) => upToId === undefined && firstId > part.firstId)
    const learned = this.#lastIds.get(keyOf(part))
    return { lastId: learned ?? (next && next.firstId - 1n), next }
  }

  async *#rows(part: BoundedPart, range: IdRange): AsyncGenerator<LogScoreChunk> {
    for await (const chunk of rowsInRange(this.#checked(part), range)) yield chunk
  }

  /** Ids ascend from the first on, and end where they must; anything else is damage that no checksum told of. */
  async *#checked(part: BoundedPart): AsyncGenerator<LogScoreChunk> {
    let previous = part.firstId
    let rows = 0
    for await (const chunk of part.open()) {
      if (rows === 0 && chunk.id[0] !== part.firstId) {
        throw damaged(part, `begins with row ${chunk.id[0]}, which its name does not say`)
      }
      const wrong = firstDescent(chunk, previous)
      if (wrong >= 0) {
        const before = wrong === 0 ? previous : chunk.id[wrong - 1]
        throw damaged(part, `is damaged: row ${chunk.id[wrong]} comes after row ${before} (${rows + wrong} rows in)`)
      }
      previous = chunk.id[chunk.rows - 1]!
      rows += chunk.rows
      refuseBeyond(part, previous)
      yield chunk
    }
    if (part.upToId === undefined) this.#lastIds.set(keyOf(part), previous)
  }
}

interface Bounds {
  readonly lastId: bigint | undefined
  /** The next file of the Go program. */
  readonly next: AvroPart | undefined
}

interface BoundedPart extends AvroPart, Bounds {}

function keyOf({ name, firstId }: AvroPart): string {
  return `${name} ${firstId}`
}

/** The first row whose id is below the one before it; -1 where there is none. */
function firstDescent({ id, rows }: LogScoreChunk, previous: bigint): number {
  if (id[0]! < previous) return 0
  const halves = new Uint32Array(id.buffer, id.byteOffset, rows * 2)
  for (let i = 1; i < rows; i++) {
    const high = halves[2 * i + 1]! - halves[2 * i - 1]!
    if (high < 0 || (high === 0 && halves[2 * i]! < halves[2 * i - 2]!)) return i
  }
  return -1
}

function refuseBeyond(part: BoundedPart, id: bigint): void {
  if (part.upToId !== undefined && id > part.upToId) {
    throw damaged(part, `holds rows up to ${id}, though its header says that none is above ${part.upToId}`)
  }
  if (part.next !== undefined && id >= part.next.firstId) {
    throw new ArchiverError(
      `${part.name} goes on with row ${id}, beyond row ${part.next.firstId}, where ${part.next.name} begins`,
      {
        code: 'AVRO_FILES_OVERLAP',
        hint: 'Rows are in both files: compare them, and move the one away whose rows are all in the other.',
      },
    )
  }
}

function damaged({ name }: AvroPart, what: string): ArchiverError {
  return new ArchiverError(`${name} ${what}`, { code: 'AVRO_DAMAGED' })
}
