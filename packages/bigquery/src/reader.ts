import { ArchivedChunks, lostByVersion1 } from '@archiver/avro'
import { type ArchiveReader, type IdRange, type LogScoreChunk, lowerId, type RangeDigest } from '@archiver/core'
import { ChunkReader } from './chunk-reader.js'
import type { Link } from './link.js'
import { findForm } from './prepare-table.js'
import { type Cells, query } from './query.js'
import { digestStatement, maxId, partsStatement, readStatement, type Selection, type Span } from './sql.js'

/** Ids that one query reads in order: BigQuery sorts what it returns on one machine. */
const idsPerRead = 2_000_000n

/**
 * Reads the table back with queries. It has no key on the id, so that BigQuery reads a column from end to end for any
 * range; where the times of the rows are known, only those days.
 */
export class BigQueryReader implements ArchiveReader {
  readonly lost = lostByVersion1
  readonly #archived = new ArchivedChunks()
  readonly #link: Link

  constructor(link: Link) {
    this.#link = link
  }

  /** @param span - the rows' times, where they are known. */
  async digest(table: string, range: IdRange, signal: AbortSignal, span?: Span): Promise<RangeDigest> {
    const selection = await this.#select(table, range, signal, span)
    if (selection === undefined) return { rows: 0n, idSum: 0n, hashXor: 0n }
    for await (const [sums] of query(this.#link, digestStatement(selection), signal)) {
      const [rows, idSum, hashXor] = sums!.map((sum) => BigInt(sum ?? 0))
      return { rows: rows!, idSum: BigInt.asUintN(64, idSum!), hashXor: hashXor! }
    }
    throw new Error('BigQuery gave no row for a query of sums')
  }

  async *read(table: string, range: IdRange, signal: AbortSignal): AsyncGenerator<LogScoreChunk> {
    const selection = await this.#select(table, range, signal)
    if (selection === undefined) return
    const chunks = new ChunkReader()
    for (const part of await this.#parts(selection, signal)) {
      for await (const page of query(this.#link, readStatement(part), signal)) yield* chunks.of(page)
    }
  }

  archived(chunk: LogScoreChunk): LogScoreChunk {
    return this.#archived.of(chunk)
  }

  /** None: half of a range costs as much as all of it. */
  async cuts(): Promise<bigint[]> {
    return []
  }

  /** Undefined where there can be no row. */
  async #select(table: string, range: IdRange, signal: AbortSignal, span?: Span): Promise<Selection | undefined> {
    const form = await findForm(this.#link, table, signal)
    if (form === undefined || range.afterId >= maxId) return undefined
    const { projectId, dataset } = this.#link
    const upToId = lowerId(range.upToId, maxId)
    return { ...form, table: { projectId, dataset, table }, range: { afterId: range.afterId, upToId }, span }
  }

  /** Cuts a selection into what one query may read, leaves out what is empty, and finds the times of the rest. */
  async #parts(selection: Selection, signal: AbortSignal): Promise<Selection[]> {
    const { range } = selection
    const found: Cells[] = []
    for await (const page of query(this.#link, partsStatement(selection, idsPerRead), signal)) found.push(...page)
    return found.map(([part, firstTs, lastTs]) => {
      const afterId = range.afterId + BigInt(part!) * idsPerRead
      const upToId = lowerId(afterId + idsPerRead, range.upToId)
      const span = { fromSeconds: Number(firstTs), toSeconds: Number(lastTs) }
      return { ...selection, range: { afterId, upToId }, span }
    })
  }
}
