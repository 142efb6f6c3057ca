import {
  type ArchiveReader,
  ArchiverError,
  digestOf,
  firstRows,
  type IdRange,
  type LogScoreChunk,
  type RangeDigest,
  rowsInRange,
  type ScanQuery,
} from '@archiver/core'
import { ArchivedChunks, lostByVersion1 } from './archived-chunk.js'
import { mergeById } from './merge.js'
import type { RowSelection } from './reader.js'
import { timeFilter } from './time-filter.js'

/** One Avro file of an archive, as far as its name and header tell. */
export interface AvroPart {
  /** The file or object, for messages. */
  readonly name: string
  /** The id of its first row, from the name. */
  readonly firstId: bigint
  /** When its first row was measured, from the name. One that does not say it is opened whatever time is asked for. */
  readonly firstSeconds?: number | undefined
  /** No row has a higher id, from the metadata. Undefined for a file of the Go program, which says nothing of its end. */
  readonly upToId: bigint | undefined
  /** Streams its rows from the first on, as `readLogScores` does. */
  open(selection: RowSelection): AsyncIterable<LogScoreChunk>
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
  readonly layout = 'files'
  readonly losses = lostByVersion1
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

  applyConversions(chunk: LogScoreChunk): LogScoreChunk {
    return this.#archived.of(chunk)
  }

  read(table: string, { afterId, upToId }: IdRange, signal: AbortSignal): AsyncGenerator<LogScoreChunk> {
    return this.scan(table, { afterId, upToId }, signal)
  }

  async *scan(table: string, query: ScanQuery, signal: AbortSignal): AsyncGenerator<LogScoreChunk> {
    const parts = this.#within(await this.#shelf.parts(table, query, signal), query).filter(timeFilter(query))
    const streams = parts.map((part) => ({ firstId: part.firstId, open: () => this.#rows(part, query, signal) }))
    for await (const chunk of firstRows(mergeById(streams), query.limit)) {
      signal.throwIfAborted()
      yield chunk
    }
  }

  /** Never inside a file: to read its second half is to read it wholly. Late rows have files within those of others. */
  async splitPoints(table: string, range: IdRange, signal: AbortSignal): Promise<bigint[]> {
    const parts = this.#within(await this.#shelf.parts(table, range, signal), range)
    const cuts = new Set<bigint>()
    let end = 0n
    for (const { firstId, lastId = firstId - 1n } of parts) {
      if (firstId > end) cuts.add(end).add(firstId - 1n)
      if (lastId > end) end = lastId
    }
    return [...cuts.add(end)].filter((id) => id > range.afterId && id < range.upToId)
  }

  async missingFiles(table: string, identities: readonly string[], signal: AbortSignal): Promise<string[]> {
    const names = await this.#shelf.names(table, signal)
    // A batch that was found in several files has all their names.
    return identities.flatMap((identity) => identity.split(', ')).filter((name) => name !== '' && !names.has(name))
  }

  /** The files that may hold rows of the range, each with where it ends. */
  #within(parts: readonly AvroPart[], { afterId, upToId }: IdRange): readonly BoundedPart[] {
    const sorted = [...parts].sort((a, b) => (a.firstId < b.firstId ? -1 : 1))
    const bounded = sorted.map((part, i) => ({ part, ...this.#bounds(part, sorted.slice(i + 1)) }))
    return bounded
      .filter(({ part, lastId }) => part.firstId <= upToId && (lastId === undefined || lastId > afterId))
      .map(({ part, ...bounds }) => ({ ...part, ...bounds }))
  }

  /**
   * The Go program wrote one file after the other, so one of its files ends before the next begins; {@link #rows} sees
   * to it. The end of its last one is learned by reading it.
   */
  #bounds(part: AvroPart, later: readonly AvroPart[]): Bounds {
    const next = later.find(({ upToId, firstId }) => upToId === undefined && firstId > part.firstId)
    const lastId = part.upToId ?? this.#lastIds.get(keyOf(part)) ?? (next && next.firstId - 1n)
    const follower = later.find(({ firstId }) => firstId > (lastId ?? part.firstId))
    return { lastId, next: part.upToId === undefined ? next : undefined, endSeconds: follower?.firstSeconds }
  }

  async *#rows(part: BoundedPart, query: ScanQuery, signal: AbortSignal): AsyncGenerator<LogScoreChunk> {
    const ids = new IdCheck(part)
    const onIds = (some: BigUint64Array) => ids.check(some) <= query.upToId && !signal.aborted
    yield* rowsInRange(part.open({ filter: filterOf(query), onIds }), query)
    signal.throwIfAborted()
    if (part.upToId === undefined && ids.last <= query.upToId) this.#lastIds.set(keyOf(part), ids.last)
  }
}

/** Undefined where every row is wanted: that is decoded faster. */
function filterOf({ serverId, monitorId, fromSeconds, toSeconds }: ScanQuery): RowSelection['filter'] {
  const all = [serverId, monitorId, fromSeconds, toSeconds].every((value) => value === undefined)
  return all ? undefined : { serverId, monitorId, fromSeconds, toSeconds }
}

/** Ids ascend from the first on, and end where they must; anything else is damage that no checksum told of. */
class IdCheck {
  last: bigint
  readonly #part: BoundedPart
  #rows = 0

  constructor(part: BoundedPart) {
    this.#part = part
    this.last = part.firstId
  }

  /** @returns the last of them. */
  check(ids: BigUint64Array): bigint {
    const part = this.#part
    if (this.#rows === 0 && ids[0] !== part.firstId) {
      throw damaged(part, `begins with row ${ids[0]}, which its name does not say`)
    }
    const wrong = firstDescent(ids, this.last)
    if (wrong >= 0) {
      const before = wrong === 0 ? this.last : ids[wrong - 1]
      throw damaged(part, `is damaged: row ${ids[wrong]} comes after row ${before} (${this.#rows + wrong} rows in)`)
    }
    this.last = ids[ids.length - 1]!
    this.#rows += ids.length
    refuseBeyond(part, this.last)
    return this.last
  }
}

interface Bounds {
  readonly lastId: bigint | undefined
  /** When the first row of the file behind it was measured. */
  readonly endSeconds: number | undefined
  /** The next file of the Go program. */
  readonly next: AvroPart | undefined
}

interface BoundedPart extends AvroPart, Bounds {}

function keyOf({ name, firstId }: AvroPart): string {
  return `${name} ${firstId}`
}

/** The first row whose id is below the one before it; -1 where there is none. */
function firstDescent(ids: BigUint64Array, previous: bigint): number {
  if (ids[0]! < previous) return 0
  const halves = new Uint32Array(ids.buffer, ids.byteOffset, ids.length * 2)
  for (let i = 1; i < ids.length; i++) {
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
