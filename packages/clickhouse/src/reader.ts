import {
  type ArchiveReader,
  ArchiverError,
  firstRows,
  type LogScoreChunk,
  lowerId,
  type RangeDigest,
  type RowRange,
  type ScanQuery,
} from '@archiver/core'
import { ArchivedChunks } from './archived-chunks.js'
import { clickHouseError } from './errors.js'
import type { Link, Links } from './link.js'
import { nativeColumns, readNative } from './native-reader.js'
import { type Days, PartSpans } from './part-spans.js'
import { condition, daysOfTimes, daysWithin } from './scan-condition.js'
import { quoted } from './table.js'

/** Computed as archive-reader.ts words it; the inner remainder keeps ids of any size within 64 bits. */
const digestColumns = `toString(count()) AS rows, toString(sum(id)) AS ids, toString(groupBitXor(toUInt64(
  ((id % 2147483647 + server_id * 1000003 + toUInt32(ts) * 8191) % 2147483647) * 2654435761))) AS hashes`

const nothing: RangeDigest = { rows: 0n, idSum: 0n, hashXor: 0n }

/** What is wanted, and when those rows were measured. */
type Query = ScanQuery & RowRange

/** Reads the table back: sums computed by ClickHouse, rows in the Native format. */
export class ClickHouseReader implements ArchiveReader {
  readonly layout = 'table'
  readonly losses: readonly string[] = [
    'score and step have 32 bits instead of 64',
    'a monitor_id of NULL was stored as 0, and comes back as NULL',
    'a negative rtt was stored as NULL',
    'of attributes only leap (1 to 3), error and warning were stored: the keys stratum, no_response, from_ls_id, from_ss_id and all others are lost',
    'an attributes text with none of these, such as {"leap":0}, comes back as NULL',
  ]
  readonly #links: Links
  readonly #dsn: string
  readonly #archived = new ArchivedChunks()
  readonly #spans = new Map<string, PartSpans>()

  /** @param dsn masked, for messages. */
  constructor(links: Links, dsn: string) {
    this.#links = links
    this.#dsn = dsn
  }

  applyConversions(chunk: LogScoreChunk): LogScoreChunk {
    return this.#archived.of(chunk)
  }

  async digest(table: string, range: RowRange, signal: AbortSignal): Promise<RangeDigest> {
    const link = await this.#links.reach()
    return this.#unlessMissing(nothing, async () => {
      const days = (await this.#spansOf(table).daysOf(link, range)) ?? daysOfTimes(range)
      signal.throwIfAborted()
      if (days?.length === 0) return nothing
      const [row] = await link.rows(`SELECT ${digestColumns} ${this.#from(table, range, days)}`)
      const { rows = '0', ids = '0', hashes = '0' } = row ?? {}
      return { rows: BigInt(rows), idSum: BigInt(ids), hashXor: BigInt(hashes) }
    })
  }

  read(table: string, { afterId, upToId, times }: RowRange, signal: AbortSignal): AsyncGenerator<LogScoreChunk> {
    return this.#scan(table, { afterId, upToId, times }, signal)
  }

  scan(table: string, query: ScanQuery, signal: AbortSignal): AsyncGenerator<LogScoreChunk> {
    return this.#scan(table, query, signal)
  }

  async *#scan(table: string, query: Query, signal: AbortSignal): AsyncGenerator<LogScoreChunk> {
    const link = await this.#links.reach()
    const rows = this.#rows(link, table, query, signal)
    yield* firstRows(this.#orNothing(rows), query.limit)
  }

  #rows(link: Link, table: string, query: Query, signal: AbortSignal): AsyncGenerator<LogScoreChunk> {
    const { serverId, fromSeconds, toSeconds, limit = Number.POSITIVE_INFINITY } = query
    const isOfServer = serverId !== undefined
    const isOfDays = fromSeconds !== undefined && toSeconds !== undefined
    // One statement sorts no more than it answers; what it looks through is little then.
    if (limit <= link.maxReadIds && (isOfServer || isOfDays)) return this.#select(link, table, query, undefined, signal)
    return isOfServer ? this.#ofServer(link, table, query, signal) : this.#all(link, table, query, signal)
  }

  /** In statements of so many ids each: one sorts what it answers in memory. */
  async *#all(link: Link, table: string, query: Query, signal: AbortSignal): AsyncGenerator<LogScoreChunk> {
    let empty = false
    for (let { afterId } = query; afterId < query.upToId; ) {
      const rest = { ...query, afterId }
      const firstId = await (empty ? this.#firstId(link, table, rest) : this.#lowestId(link, table, rest))
      if (firstId === undefined) return
      afterId = lowerId(firstId - 1n + link.maxReadIds, query.upToId)
      empty = true
      const slice = { ...query, afterId: firstId - 1n, upToId: afterId }
      for await (const chunk of this.#readSlice(link, table, slice, signal)) {
        empty = false
        yield chunk
      }
    }
  }

  async *#readSlice(link: Link, table: string, slice: Query, signal: AbortSignal): AsyncGenerator<LogScoreChunk> {
    const days = await this.#daysOf(link, table, slice)
    if (days?.length !== 0) yield* this.#select(link, table, slice, days, signal)
  }

  /**
   * In statements of so many rows each, however far apart their ids are. The table is sorted by server: nothing needs to be
   * known of its parts.
   */
  async *#ofServer(link: Link, table: string, query: Query, signal: AbortSignal): AsyncGenerator<LogScoreChunk> {
    for (let { afterId } = query; afterId < query.upToId; ) {
      const rest = { ...query, afterId, limit: undefined }
      const [row] = await link.rows(
        `SELECT toString(id) AS cut ${this.#from(table, rest)} ORDER BY id LIMIT ${link.maxReadIds - 1n}, 1`,
      )
      const upToId = row === undefined ? query.upToId : BigInt(row.cut!)
      yield* this.#select(link, table, { ...rest, upToId }, undefined, signal)
      afterId = upToId
    }
  }

  async *#select(
    link: Link,
    table: string,
    query: Query,
    days: readonly Days[] | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<LogScoreChunk> {
    const limit = query.limit === undefined ? '' : ` LIMIT ${query.limit}`
    const sql = `SELECT ${nativeColumns} ${this.#from(table, query, days)} ORDER BY id${limit}`
    const { afterId, upToId } = query
    try {
      yield* readNative(link.read(sql, signal, 'Native'))
    } catch (thrown) {
      signal.throwIfAborted()
      throw clickHouseError(thrown, 'cannot read the archive', this.#dsn, { table, afterId, upToId })
    }
  }

  /** The lowest id of the range that may have a row, by what is known of the parts; undefined where there is none. */
  async #lowestId(link: Link, table: string, query: Query): Promise<bigint | undefined> {
    const spans = this.#spansOf(table)
    const known = (await spans.daysOf(link, query)) !== undefined
    return known ? spans.nextId(query) : this.#firstId(link, table, query)
  }

  /** The lowest id of the range that has a row: reads all ids of its days, to leap over a wide gap. */
  async #firstId(link: Link, table: string, query: Query): Promise<bigint | undefined> {
    const days = await this.#daysOf(link, table, query)
    if (days?.length === 0) return undefined
    const [row] = await link.rows(`SELECT toString(min(id)) AS low ${this.#from(table, query, days)}`)
    const low = BigInt(row?.low ?? 0)
    return low === 0n ? undefined : low
  }

  /** The days on which the table has rows of the range, as far as the query wants them; undefined where they are not known. */
  async #daysOf(link: Link, table: string, query: Query): Promise<Days[] | undefined> {
    const days = (await this.#spansOf(table).daysOf(link, query)) ?? daysOfTimes(query)
    return days && daysWithin(days, query)
  }

  #spansOf(table: string): PartSpans {
    const spans = this.#spans.get(table) ?? new PartSpans(this.#links.database, table)
    this.#spans.set(table, spans)
    return spans
  }

  #from(table: string, query: ScanQuery, days?: readonly Days[]): string {
    return `FROM ${quoted(this.#links.database)}.${quoted(table)} WHERE ${condition(query, days)}`
  }

  async *#orNothing(rows: AsyncIterable<LogScoreChunk>): AsyncGenerator<LogScoreChunk> {
    try {
      yield* rows
    } catch (thrown) {
      if (!this.#saysMissing(thrown)) throw thrown
    }
  }

  async #unlessMissing<T>(none: T, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (thrown) {
      if (this.#saysMissing(thrown)) return none
      throw thrown
    }
  }

  #saysMissing(thrown: unknown): boolean {
    if (!(thrown instanceof ArchiverError)) return false
    if (thrown.code === 'CLICKHOUSE_TABLE_MISSING') return true
    return thrown.code === 'CLICKHOUSE_DATABASE' && this.#links.createsDatabase
  }
}
