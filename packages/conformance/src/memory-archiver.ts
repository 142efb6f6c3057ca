import {
  type ArchiveReader,
  type Archiver,
  ArchiverError,
  type BatchSource,
  deletedRowsOf,
  type Lease,
  type LogScore,
  type LogScoreChunk,
  type PlannedBatch,
  RowsNotInSource,
  rowsFromChunk,
  type StoredRows,
  type StoreResult,
} from '@archiver/core'

const memory = new Map<string, Map<bigint, LogScore>>()

/** The rows of one table; the same ones whenever it is asked for. */
export function memoryOf(table: string): Map<bigint, LogScore> {
  const rows = memory.get(table) ?? new Map<bigint, LogScore>()
  memory.set(table, rows)
  return rows
}

/** The least an adapter can be, for this package's own tests: rows in a Map, whole batches only. */
export class MemoryArchiver implements Archiver {
  readonly name = 'memory'
  readonly reader: ArchiveReader | 'none' = 'none'
  readonly policy = { minRows: 1, maxRows: 1000, intervalMs: 0 }
  readonly rows: Map<bigint, LogScore>

  constructor(rows: Map<bigint, LogScore>) {
    this.rows = rows
  }

  async prepare(): Promise<void> {}

  async store(batch: PlannedBatch, chunks: AsyncIterable<LogScoreChunk>, lease: Lease): Promise<StoreResult> {
    const taken: LogScore[] = []
    for await (const chunk of chunks) {
      lease.assertHeld()
      taken.push(...rowsFromChunk(chunk))
    }
    lease.assertHeld()
    for (const row of taken) this.rows.set(row.id, row)
    return { rows: taken.length, bytes: taken.length * 49, identity: `batch ${batch.id}` }
  }

  async findStored(batch: PlannedBatch, source: BatchSource): Promise<StoredRows> {
    const sourceRows = new Map<bigint, LogScore>()
    for await (const chunk of source.read()) for (const row of rowsFromChunk(chunk)) sourceRows.set(row.id, row)
    const others = new RowsNotInSource(source)
    const ids: bigint[] = []
    for (const row of this.within(batch)) {
      const known = sourceRows.get(row.id)
      if (known === undefined) await others.add(row.id)
      else if (known.serverId !== row.serverId) others.addDifferent(row.id, `of server ${row.serverId}`)
      else ids.push(row.id)
    }
    await others.settle()
    const { foreign } = others
    const deleted = deletedRowsOf(others.deletedRows)
    if (foreign.count > 0) throw new ArchiverError(`${foreign} not in the source`, { code: 'ROWS_UNKNOWN' })
    if (ids.length === 0) return { kind: 'none', ...deleted }
    if (ids.length < sourceRows.size) return { kind: 'some', ids: BigUint64Array.from(ids), ...deleted }
    return { kind: 'all', result: { rows: ids.length, bytes: 0, identity: `batch ${batch.id}` }, ...deleted }
  }

  private within({ afterId, upToId }: PlannedBatch): LogScore[] {
    const rows = [...this.rows.values()].filter(({ id }) => id > afterId && id <= upToId)
    return rows.sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
