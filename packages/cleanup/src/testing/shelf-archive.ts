import {
  type ArchiveReader,
  type Archiver,
  chunkFromRows,
  digestOf,
  type IdRange,
  type LogScore,
  type LogScoreChunk,
  matchingRows,
  type Permit,
  type PlannedBatch,
  type ReadRows,
  rowsFromChunk,
  type StoredRows,
  type StoreResult,
} from '@archiver/core'

/** An archive in memory, which a test may damage as it likes. Floats are rounded, as in the real ones. */
export class ShelfArchive implements Archiver {
  readonly name: string
  readonly batch = { minRows: 1, maxRows: 1_000_000, intervalMs: 0 }
  rows: LogScore[] = []
  /** Asked before each answer of the reader. */
  onAsked: () => void | Promise<void> = () => undefined
  readonly asked: IdRange[] = []
  readonly batches: PlannedBatch[] = []
  readonly reader: ArchiveReader

  constructor(name: string) {
    this.name = name
    const ask = async (range: IdRange) => {
      this.asked.push(range)
      await this.onAsked()
      return this.within(range)
    }
    this.reader = {
      layout: 'table',
      // As an adapter may have it that knows of nothing to cut at: it says nothing about the layout.
      cuts: async () => [],
      digest: async (_, range) => digestOf(chunksOf(await ask(range))),
      read: (_, range) => readLater(() => ask(range)),
      scan: (_, query) =>
        matchingRows(
          readLater(() => ask(query)),
          query,
        ),
      archived: (chunk) => chunkFromRows(rowsFromChunk(chunk).map(shelved)),
    }
  }

  async prepare(): Promise<void> {}

  async store(batch: PlannedBatch, chunks: AsyncIterable<LogScoreChunk>, permit: Permit): Promise<StoreResult> {
    const before = this.rows.length
    for await (const chunk of chunks) this.put(rowsFromChunk(chunk))
    permit.check()
    this.batches.push(batch)
    return { rows: this.rows.length - before, bytes: 1, identity: `shelf ${batch.id}` }
  }

  async stored(batch: PlannedBatch, source: ReadRows): Promise<StoredRows> {
    const held = new Set(this.within(batch).map(({ id }) => id))
    let rows = 0
    for await (const chunk of source()) rows += chunk.rows
    if (held.size === 0) return { kind: 'none' }
    if (held.size === rows) return { kind: 'all', result: { rows, bytes: 1, identity: `shelf ${batch.id}` } }
    return { kind: 'some', ids: BigUint64Array.from([...held].sort((a, b) => (a < b ? -1 : 1))) }
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

  async close(): Promise<void> {}
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
