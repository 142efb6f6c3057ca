import { ArchivedChunks, lostByVersion1 } from '@archiver/avro'
import {
  type ArchiveReader,
  firstRows,
  type IdRange,
  type LogScoreChunk,
  lowerId,
  type RangeDigest,
  type ScanQuery,
} from '@archiver/core'
import { ChunkReader } from './chunk-reader.js'
import type { Link } from './link.js'
import { findForm } from './prepare-table.js'
import { query } from './query.js'
import { digestStatement, maxId, partsStatement, readStatement, type Selection, type Span } from './sql.js'

/** Rows that one query reads in order: BigQuery sorts what it returns on one machine. So many ids are looked at together. */
const rowsPerRead = 2_000_000
const idsPerPart = BigInt(rowsPerRead)

/**
 * Reads the table back with queries. It has no key on the id, so that BigQuery reads a column from end to end for any
 * range; where the times of the rows are known, only those days.
 */
export class BigQueryReader implements ArchiveReader {
  readonly layout = 'table'
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

  read(table: string, { afterId, upToId }: IdRange, signal: AbortSignal): AsyncGenerator<LogScoreChunk> {
    return this.scan(table, { afterId, upToId }, signal)
  }

  async *scan(table: string, wanted: ScanQuery, signal: AbortSignal): AsyncGenerator<LogScoreChunk> {
    const selection = await this.#select(table, wanted, signal)
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

  archived(chunk: LogScoreChunk): LogScoreChunk {
    return this.#archived.of(chunk)
  }

  /** Undefined where there can be no row. */
  async #select(table: string, wanted: ScanQuery, signal: AbortSignal, span?: Span): Promise<Selection | undefined> {
    const form = await findForm(this.#link, table, signal)
    if (form === undefined || wanted.afterId >= maxId) return undefined
    const { projectId, dataset } = this.#link
    const range = { ...wanted, upToId: lowerId(wanted.upToId, maxId) }
    return { ...form, table: { projectId, dataset, table }, range, span }
  }

  /** Cuts a selection into what one query may read, leaves out what is empty, and finds the times of the rest. */
  async #parts(selection: Selection, signal: AbortSignal): Promise<Selection[]> {
    const found: Part[] = []
    for await (const page of query(this.#link, partsStatement(selection, idsPerPart), signal)) {
      for (const [part, firstTs, lastTs, rows] of page) {
        const span = { fromSeconds: Number(firstTs), toSeconds: Number(lastTs) }
        addPart(found, { first: BigInt(part!), last: BigInt(part!), span, rows: Number(rows) })
      }
    }
    return found.map(({ first, last, span }) => selectPart(selection, first, last, span))
  }
}

/** Rows that one query reads: of one part, or of several with few rows each. */
interface Part {
  readonly first: bigint
  readonly last: bigint
  readonly span: Span
  readonly rows: number
}

/** Appends a part, or enlarges the last one by it. */
function addPart(parts: Part[], next: Part): void {
  const before = parts.at(-1)
  if (before === undefined || before.rows + next.rows > rowsPerRead) {
    parts.push(next)
    return
  }
  const fromSeconds = Math.min(before.span.fromSeconds, next.span.fromSeconds)
  const toSeconds = Math.max(before.span.toSeconds, next.span.toSeconds)
  parts[parts.length - 1] = {
    first: before.first,
    last: next.last,
    span: { fromSeconds, toSeconds },
    rows: before.rows + next.rows,
  }
}

function selectPart(selection: Selection, first: bigint, last: bigint, span: Span): Selection {
  const { range } = selection
  const afterId = range.afterId + first * idsPerPart
  const upToId = lowerId(range.afterId + (last + 1n) * idsPerPart, range.upToId)
  return { ...selection, range: { ...range, afterId, upToId, limit: undefined }, span }
}
