import {
  type Archiver,
  ArchiverError,
  type LogScore,
  type LogScoreChunk,
  type Permit,
  type PlannedBatch,
  type ReadRows,
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
  readonly batch = { minRows: 1, maxRows: 1000, intervalMs: 0 }
  readonly rows: Map<bigint, LogScore>

  constructor(rows: Map<bigint, LogScore>) {
    this.rows = rows
  }

  async prepare(): Promise<void> {}

  async store(batch: PlannedBatch, chunks: AsyncIterable<LogScoreChunk>, permit: Permit): Promise<StoreResult> {
    const taken: LogScore[] = []
    for await (const chunk of chunks) {
      permit.check()
      taken.push(...rowsFromChunk(chunk))
    }
    permit.check()
    for (const row of taken) this.rows.set(row.id, row)
    return { rows: taken.length, bytes: taken.length * 49, identity: `batch ${batch.id}` }
  }

  async stored(batch: PlannedBatch, source: ReadRows): Promise<StoredRows> {
    const ids = [...this.rows.keys()].filter((id) => id > batch.afterId && id <= batch.upToId).sort()
    const sourceIds = new Set<bigint>()
    for await (const chunk of source()) for (const { id } of rowsFromChunk(chunk)) sourceIds.add(id)
    const unknown = ids.find((id) => !sourceIds.has(id))
    if (unknown !== undefined) throw new ArchiverError(`row ${unknown} is not in the source`, { code: 'ROWS_UNKNOWN' })
    if (ids.length === 0) return { kind: 'none' }
    if (ids.length < sourceIds.size) return { kind: 'some', ids: BigUint64Array.from(ids) }
    return { kind: 'all', result: { rows: ids.length, bytes: 0, identity: `batch ${batch.id}` } }
  }

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
