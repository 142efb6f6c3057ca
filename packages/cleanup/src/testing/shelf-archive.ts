import {
  type ArchiveReader,
  type Archiver,
  ArchiverError,
  type BatchSource,
  chunkFromRows,
  deletedRowsOf,
  digestOf,
  type IdRange,
  type Lease,
  type LogScore,
  type LogScoreChunk,
  matchingRows,
  type PlannedBatch,
  type RowRange,
  RowsNotInSource,
  rowsFromChunk,
  type StoredRows,
  type StoreResult,
} from '@archiver/core'

/** An archive in memory, which a test may damage as it likes. Floats are rounded, as in the real ones. */
export class ShelfArchive implements Archiver {
  readonly name: string
  readonly policy = { minRows: 1, maxRows: 1_000_000, intervalMs: 0 }
  rows: LogScore[] = []
  /** Asked before each answer of the reader. */
  onAsked: () => void | Promise<void> = () => undefined
  readonly asked: RowRange[] = []
  readonly batches: PlannedBatch[] = []
  readonly reader: ArchiveReader

  constructor(name: string) {
    this.name = name
    const ask = async (range: RowRange) => {
      this.asked.push(range)
      await this.onAsked()
      return this.within(range)
    }
    this.reader = {
      layout: 'table',
      // As an adapter may have it that knows of nothing to cut at: it says nothing about the layout.
      splitPoints: async () => [],
      digest: async (_, range) => digestOf(chunksOf(await ask(range))),
      read: (_, range) => readLater(() => ask(range)),
      scan: (_, query) =>
        matchingRows(
          readLater(() => ask(query)),
          query,
        ),
      applyConversions: (chunk) => chunkFromRows(rowsFromChunk(chunk).map(shelved)),
    }
  }

  async prepare(): Promise<void> {}

  async store(batch: PlannedBatch, chunks: AsyncIterable<LogScoreChunk>, lease: Lease): Promise<StoreResult> {
    const before = this.rows.length
    for await (const chunk of chunks) this.put(rowsFromChunk(chunk))
    lease.assertHeld()
    this.batches.push(batch)
    return { rows: this.rows.length - before, bytes: 1, identity: `shelf ${batch.id}` }
  }

  async findStored(batch: PlannedBatch, source: BatchSource): Promise<StoredRows> {
    const sourceIds = new Set<bigint>()
    for await (const chunk of source.read()) for (const { id } of rowsFromChunk(chunk)) sourceIds.add(id)
    const others = new RowsNotInSource(source)
    const ids: bigint[] = []
    for (const { id } of this.within(batch)) {
      if (sourceIds.has(id)) ids.push(id)
      else await others.add(id)
    }
    await others.settle()
    const { foreign } = others
    const deleted = deletedRowsOf(others.deletedRows)
    if (foreign.count > 0) throw new ArchiverError(`the shelf holds ${foreign}`, { code: 'SHELF_FOREIGN_ROWS' })
    if (ids.length === 0) return { kind: 'none', ...deleted }
    if (ids.length < sourceIds.size) return { kind: 'some', ids: BigUint64Array.from(ids), ...deleted }
    return { kind: 'all', result: { rows: ids.length, bytes: 1, identity: `shelf ${batch.id}` }, ...deleted }
  }

  /** Puts rows on the shelf without a batch. */
  put(rows: readonly LogScore[]): void {
    this.rows.push(...rows.map(shelved))
    this.rows.sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  drop(id: bigint): void {
    this.rows = this.rows.filter((row) => row.id !== id)
  }

  change(id: bigint, change: Partial<LogScore>): void {
    this.rows = this.rows.map((row) => (row.id === id ? { ...row, ...change } : row))
  }

  holds(id: bigint): boolean {
    return this.rows.some((row) => row.id === id)
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  private within({ afterId, upToId }: IdRange): LogScore[] {
    return this.rows.filter(({ id }) => id > afterId && id <= upToId)
  }
}

function shelved(row: LogScore): LogScore {
  return { ...row, monitorId: row.monitorId ?? 0, score: Math.fround(row.score), step: Math.fround(row.step) }
}

async function* chunksOf(rows: readonly LogScore[]): AsyncGenerator<LogScoreChunk> {
  for (let from = 0; from < rows.length; from += 1_000) yield chunkFromRows(rows.slice(from, from + 1_000))
}

async function* readLater(ask: () => Promise<readonly LogScore[]>): AsyncGenerator<LogScoreChunk> {
  yield* chunksOf(await ask())
}
