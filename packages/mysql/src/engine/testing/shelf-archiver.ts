import type {
  ArchiveReader,
  Archiver,
  BatchSource,
  LogScore,
  LogScoreChunk,
  PlannedBatch,
  StoredRows,
} from '@archiver/core'
import { ArchiverError, deletedRowsOf, RowsNotInSource, rowsFromChunk } from '@archiver/core'

/** An archive that does as the test says: the engine must not care which one it serves. */
export class ShelfArchiver implements Archiver {
  readonly rows: LogScore[] = []
  readonly batches: PlannedBatch[] = []
  policy = { minRows: 10, maxRows: 40, intervalMs: 0 }
  /** Whether an interrupted store leaves nothing, as with files, or what it had written, as with ClickHouse. */
  whole = false
  /** Called before each chunk is taken. */
  beforeChunk: (chunk: LogScoreChunk) => void | Promise<void> = () => undefined
  afterStore: () => void | Promise<void> = () => undefined
  afterLookUp: () => void | Promise<void> = () => undefined
  /** Where it can be read back. */
  reader: ArchiveReader | 'none' = 'none'
  readonly name = 'shelf'

  /** What would create its table; none where it is there. */
  statements: string[] = []

  async pendingDdl() {
    return this.statements
  }
  async prepare() {
    this.statements = []
  }
  async store(batch: PlannedBatch, chunks: AsyncIterable<LogScoreChunk>) {
    const kept = [...this.rows]
    let rows = 0
    try {
      for await (const chunk of chunks) {
        await this.beforeChunk(chunk)
        this.rows.push(...rowsFromChunk(chunk))
        rows += chunk.rows
      }
    } catch (error) {
      if (this.whole) this.rows.splice(0, this.rows.length, ...kept)
      throw error
    }
    this.batches.push(batch)
    await this.afterStore()
    return this.result(rows)
  }
  async findStored({ afterId, upToId }: PlannedBatch, source: BatchSource): Promise<StoredRows> {
    const wanted = new Map<bigint, LogScore>()
    for await (const chunk of source.read()) for (const row of rowsFromChunk(chunk)) wanted.set(row.id, row)
    const others = new RowsNotInSource(source)
    const ids: bigint[] = []
    for (const { id, serverId } of this.rows.filter((row) => row.id > afterId && row.id <= upToId)) {
      const row = wanted.get(id)
      if (row === undefined) await others.add(id)
      else if (row.serverId !== serverId) others.addDifferent(id, `of server ${serverId}`)
      else ids.push(id)
    }
    await others.settle()
    if (others.foreign.count > 0)
      throw new ArchiverError(`the shelf holds ${others.foreign}`, { code: 'SHELF_FOREIGN' })
    await this.afterLookUp()
    const deleted = deletedRowsOf(others.deletedRows)
    if (ids.length === 0) return { kind: 'none', ...deleted }
    if (ids.length === wanted.size) return { kind: 'all', result: this.result(wanted.size), ...deleted }
    return { kind: 'some', ids: BigUint64Array.from(ids), ...deleted }
  }
  private result(rows: number) {
    return { rows, bytes: rows, identity: 'shelf' }
  }
  async [Symbol.asyncDispose]() {}
}
