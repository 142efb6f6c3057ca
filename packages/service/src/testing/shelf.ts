import { type Archiver, ArchiverError, type LogScoreChunk, type PlannedBatch, type StoredRows } from '@archiver/core'

/** An archive in memory that fails while a test wants it to. */
export class Shelf implements Archiver {
  readonly name: string
  readonly reader = 'none'
  readonly policy = { minRows: 1, maxRows: 1_000, intervalMs: 0 }
  readonly ids: bigint[] = []
  failing = false

  constructor(name: string) {
    this.name = name
  }

  async prepare(): Promise<void> {
    if (this.failing) throw new ArchiverError('the shelf is full', { code: 'SHELF_FULL', hint: 'Buy another one.' })
  }

  async store({ id }: PlannedBatch, chunks: AsyncIterable<LogScoreChunk>) {
    let rows = 0
    for await (const chunk of chunks) {
      this.ids.push(...chunk.id.subarray(0, chunk.rows))
      rows += chunk.rows
    }
    return { rows, bytes: 40 * rows, identity: `shelf ${id}` }
  }

  async findStored({ afterId, upToId }: PlannedBatch): Promise<StoredRows> {
    const ids = this.ids.filter((id) => id > afterId && id <= upToId)
    return ids.length === 0 ? { kind: 'none' } : { kind: 'some', ids: BigUint64Array.from(ids) }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
