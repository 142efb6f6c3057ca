import { ArchivedChunks, lostByVersion1 } from '@archiver/avro'
import {
  type ArchiveReader,
  DAY_SECONDS,
  firstRows,
  type IdRange,
  joinSpans,
  type LogScoreChunk,
  lowerId,
  type RangeDigest,
  type RowRange,
  type ScanQuery,
  type TimeSpan,
} from '@archiver/core'
import { ChunkReader } from './chunk-reader.js'
import type { Link } from './link.js'
import { findForm } from './prepare-table.js'
import { query } from './query.js'
import { digestStatement, maxId, partsStatement, readStatement, type Selection } from './sql.js'

/** Rows that one query reads in order: BigQuery sorts what it returns on one machine. So many ids are looked at together. */
const rowsPerRead = 2_000_000
const idsPerPart = BigInt(rowsPerRead)

/**
 * Reads the table back with queries. It has no key on the id, so that BigQuery reads a column from end to end for any
 * range; where the times of the rows are known, only those days, and one more on either side for rows that were written in
 * local time. A row that the table holds at any other time is not seen then.
 */
export class BigQueryReader implements ArchiveReader {
  readonly layout = 'table'
  readonly losses = lostByVersion1
  readonly #archived = new ArchivedChunks()
  readonly #link: Link

  constructor(link: Link) {
    this.#link = link
  }

  async digest(table: string, range: RowRange, signal: AbortSignal): Promise<RangeDigest> {
    const selection = await this.#select(table, range, signal, range.times)
    if (selection === undefined) return { rows: 0n, idSum: 0n, hashXor: 0n }
    for await (const [sums] of query(this.#link, digestStatement(selection), signal)) {
      const [rows, idSum, hashXor] = sums!.map((sum) => BigInt(sum ?? 0))
      return { rows: rows!, idSum: BigInt.asUintN(64, idSum!), hashXor: hashXor! }
    }
    throw new Error('BigQuery gave no row for a query of sums')
  }

  read(table: string, { afterId, upToId, times }: RowRange, signal: AbortSignal): AsyncGenerator<LogScoreChunk> {
    return this.#scan(table, { afterId, upToId }, times, signal)
  }

  scan(table: string, wanted: ScanQuery, signal: AbortSignal): AsyncGenerator<LogScoreChunk> {
    return this.#scan(table, wanted, undefined, signal)
  }

  async *#scan(
    table: string,
    wanted: ScanQuery,
    times: RowRange['times'],
    signal: AbortSignal,
  ): AsyncGenerator<LogScoreChunk> {
    const selection = await this.#select(table, wanted, signal, times)
    if (selection !== undefined) yield* firstRows(this.#rows(selection, signal), wanted.limit)
  }

  async *#rows(selection: Selection, signal: AbortSignal): AsyncGenerator<LogScoreChunk> {
    const chunks = new ChunkReader()
    const { limit } = selection.range
    const parts = limit !== undefined && limit <= rowsPerRead ? [selection] : await this.#parts(selection, signal)
    for (const part of parts) {
      for await (const page of query(this.#link, readStatement(part), signal)) yield* chunks.of(page)
    }
  }

  applyConversions(chunk: LogScoreChunk): LogScoreChunk {
    return this.#archived.of(chunk)
  }

  /** Undefined where there can be no row. */
  async #select(
    table: string,
    wanted: IdRange,
    signal: AbortSignal,
    times: RowRange['times'],
  ): Promise<Selection | undefined> {
    const form = await findForm(this.#link, table, signal)
    if (form === undefined || wanted.afterId >= maxId) return undefined
    const { projectId, dataset } = this.#link
    const range = { ...wanted, upToId: lowerId(wanted.upToId, maxId) }
    return { ...form, table: { projectId, dataset, table }, range, times: times?.map(widened) }
  }

  /** Cuts a selection into what one query may read, leaves out what is empty, and finds the times of the rest. */
  async #parts(selection: Selection, signal: AbortSignal): Promise<Selection[]> {
    const found: Part[] = []
    for await (const page of query(this.#link, partsStatement(selection, idsPerPart), signal)) {
      for (const [part, , firstTs, lastTs, rows] of page) {
        const times = [{ fromSeconds: Number(firstTs), toSeconds: Number(lastTs) }]
        addPart(found, { first: BigInt(part!), last: BigInt(part!), times, rows: Number(rows) })
      }
    }
    return found.map((part) => selectPart(selection, part))
  }
}

/** Rows that one query reads: of one part, or of several with few rows each. */
interface Part {
  readonly first: bigint
  readonly last: bigint
  readonly times: readonly TimeSpan[]
  readonly rows: number
}

/** Appends a part, or enlarges the last one by it: by what is of the same ids always. */
function addPart(parts: Part[], next: Part): void {
  const before = parts.at(-1)
  const joins = before?.last === next.first || (before?.rows ?? 0) + next.rows <= rowsPerRead
  if (before === undefined || !joins) {
    parts.push(next)
    return
  }
  parts[parts.length - 1] = {
    first: before.first,
    last: next.last,
    times: joinSpans([...before.times, ...next.times]),
    rows: before.rows + next.rows,
  }
}

function widened({ fromSeconds, toSeconds }: TimeSpan): TimeSpan {
  return { fromSeconds: Math.max(0, fromSeconds - DAY_SECONDS), toSeconds: toSeconds + DAY_SECONDS }
}

function selectPart(selection: Selection, { first, last, times }: Part): Selection {
  const { range } = selection
  const afterId = range.afterId + first * idsPerPart
  const upToId = lowerId(range.afterId + (last + 1n) * idsPerPart, range.upToId)
  return { ...selection, range: { ...range, afterId, upToId, limit: undefined }, times }
}
