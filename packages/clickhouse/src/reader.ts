import {
  type ArchiveReader,
  ArchiverError,
  type IdRange,
  type LogScoreChunk,
  lowerId,
  type RangeDigest,
} from '@archiver/core'
import { ArchivedChunks } from './archived-chunks.js'
import { clickHouseError } from './errors.js'
import type { Link, Links } from './link.js'
import { nativeColumns, readNative } from './native-reader.js'
import { type Days, PartSpans } from './part-spans.js'
import { quoted } from './table.js'

/** Computed as archive-reader.ts words it; the inner remainder keeps ids of any size within 64 bits. */
const digestColumns = `toString(count()) AS rows, toString(sum(id)) AS ids, toString(groupBitXor(toUInt64(
  ((id % 2147483647 + server_id * 1000003 + toUInt32(ts) * 8191) % 2147483647) * 2654435761))) AS hashes`

const nothing: RangeDigest = { rows: 0n, idSum: 0n, hashXor: 0n }

/** Reads the table back: sums computed by ClickHouse, rows in the Native format. */
export class ClickHouseReader implements ArchiveReader {
  readonly lost: readonly string[] = [
    'score and step have 32 bits instead of 64',
    'a monitor_id of NULL was stored as 0, and comes back as NULL',
    'a negative rtt was stored as NULL',
    'of attributes there are leap, error and warning: {"leap":0} stands for NULL too, other keys were not stored',
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

  archived(chunk: LogScoreChunk): LogScoreChunk {
    return this.#archived.of(chunk)
  }

  async digest(table: string, range: IdRange, signal: AbortSignal): Promise<RangeDigest> {
    const link = await this.#links.reach()
    return this.#unlessMissing(nothing, async () => {
      const days = await this.#spansOf(table).daysOf(link, range)
      signal.throwIfAborted()
      if (days?.length === 0) return nothing
      const [row] = await link.rows(`SELECT ${digestColumns} ${this.#from(table, range, days)}`)
      const { rows = '0', ids = '0', hashes = '0' } = row ?? {}
      return { rows: BigInt(rows), idSum: BigInt(ids), hashXor: BigInt(hashes) }
    })
  }

  /** In statements of so many ids each: one sorts what it answers in memory. */
  async *read(table: string, range: IdRange, signal: AbortSignal): AsyncGenerator<LogScoreChunk> {
    const link = await this.#links.reach()
    let empty = false
    for (let { afterId } = range; afterId < range.upToId; ) {
      const rest = { ...range, afterId }
      const next = empty ? this.#firstId : this.#lowestId
      const firstId = await this.#unlessMissing(undefined, () => next.call(this, link, table, rest))
      if (firstId === undefined) return
      afterId = lowerId(firstId - 1n + link.maxReadIds, range.upToId)
      empty = true
      for await (const chunk of this.#readSlice(link, table, { afterId: firstId - 1n, upToId: afterId }, signal)) {
        empty = false
        yield chunk
      }
    }
  }

  async *#readSlice(link: Link, table: string, slice: IdRange, signal: AbortSignal): AsyncGenerator<LogScoreChunk> {
    const days = await this.#spansOf(table).daysOf(link, slice)
    if (days?.length === 0) return
    const sql = `SELECT ${nativeColumns} ${this.#from(table, slice, days)} ORDER BY id`
    try {
      yield* readNative(link.read(sql, signal, 'Native'))
    } catch (thrown) {
      signal.throwIfAborted()
      throw clickHouseError(thrown, 'cannot read the archive', this.#dsn, { table, ...slice })
    }
  }

  /** The lowest id of the range that may have a row, by what is known of the parts; undefined where there is none. */
  async #lowestId(link: Link, table: string, range: IdRange): Promise<bigint | undefined> {
    const spans = this.#spansOf(table)
    const known = (await spans.daysOf(link, range)) !== undefined
    return known ? spans.nextId(range) : this.#firstId(link, table, range)
  }

  /** The lowest id of the range that has a row: reads all ids of its days, to leap over a wide gap. */
  async #firstId(link: Link, table: string, range: IdRange): Promise<bigint | undefined> {
    const days = await this.#spansOf(table).daysOf(link, range)
    if (days?.length === 0) return undefined
    const [row] = await link.rows(`SELECT toString(min(id)) AS low ${this.#from(table, range, days)}`)
    const low = BigInt(row?.low ?? 0)
    return low === 0n ? undefined : low
  }

  #spansOf(table: string): PartSpans {
    const spans = this.#spans.get(table) ?? new PartSpans(this.#links.database, table)
    this.#spans.set(table, spans)
    return spans
  }

  #from(table: string, { afterId, upToId }: IdRange, days: readonly Days[] | undefined): string {
    const within = days?.map(([first, last]) => `dt BETWEEN toDate(${first}) AND toDate(${last})`).join(' OR ')
    const where = `${within === undefined ? '' : `(${within}) AND `}id > ${afterId} AND id <= ${upToId}`
    return `FROM ${quoted(this.#links.database)}.${quoted(table)} WHERE ${where}`
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
