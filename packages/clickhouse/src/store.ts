import { faultPoint, type Lease, type LogScoreChunk, type PlannedBatch, type StoreResult } from '@archiver/core'
import { insertIds } from './insert-ids.js'
import type { Link } from './link.js'
import { NativeEncoder } from './native.js'
import { inParts, type PartRows } from './parts.js'

/** Servers refuse a block of more than 100 days for ever, whatever the rest of the insert. */
const maxDays = 90

/**
 * The id under which a batch's statement runs; further inserts of the same batch append `.2`, `.3` and so on. It names
 * the database, since every installation counts its own batches: two that share a server would stop each other.
 */
export function queryIdOf(database: string, { table, id }: PlannedBatch): string {
  return `archiver_${database}.${table}_${id}`
}

/** The rows of a batch cut as they are inserted. */
export function partsOf(chunks: AsyncIterable<LogScoreChunk>, { maxInsertRows }: Link) {
  return inParts(chunks, { maxDays, maxRows: maxInsertRows })
}

/** Inserts the rows of the chunks: one statement, unless they are of too many days for one. */
export async function storeBatch(
  link: Link,
  database: string,
  batch: PlannedBatch,
  chunks: AsyncIterable<LogScoreChunk>,
  lease: Lease,
): Promise<{ readonly result: StoreResult; readonly encodeMs: number }> {
  lease.assertHeld()
  const blocks = new BatchBlocks(partsOf(chunks, link))
  const identity = queryIdOf(database, batch)
  try {
    for (let part = await blocks.start(); part !== undefined; part = blocks.nextPart) {
      const ids = insertIds(identity, part)
      await link.insert(batch.table, ids, blocks.ofPart(part), lease)
      await faultPoint('clickhouse.sent')
      if (blocks.nextPart === part) throw new Error(`ClickHouse ended the insert ${ids.queryId} before its last block`)
    }
  } finally {
    blocks.end()
  }
  const { rows, bytes, rttNegative, encodeMs } = blocks
  return { result: { rows, bytes, identity, conversions: { rttNegative } }, encodeMs }
}

/** Encodes a batch block by block; each part's blocks are taken by one insert. */
class BatchBlocks {
  rows = 0
  bytes = 0
  rttNegative = 0
  encodeMs = 0
  readonly #parts: AsyncGenerator<PartRows, undefined>
  readonly #encoder = new NativeEncoder()
  #next: PartRows | undefined

  constructor(parts: AsyncGenerator<PartRows, undefined>) {
    this.#parts = parts
  }

  async start(): Promise<number | undefined> {
    await this.#advance()
    return this.nextPart
  }

  get nextPart(): number | undefined {
    return this.#next?.part
  }

  async *ofPart(part: number): AsyncGenerator<Uint8Array> {
    while (this.#next?.part === part) {
      const startedMs = performance.now()
      const { bytes, rttNegative } = this.#encoder.encode(this.#next)
      this.encodeMs += performance.now() - startedMs
      this.rows += this.#next.to - this.#next.from
      this.bytes += bytes.length
      this.rttNegative += rttNegative
      yield bytes
      await faultPoint('clickhouse.sending')
      await this.#advance()
    }
  }

  /** Lets the source go, without waiting for a page that it may still be fetching. */
  end(): void {
    this.#parts.return(undefined).catch(() => {})
  }

  async #advance(): Promise<void> {
    this.#next = (await this.#parts.next()).value
  }
}
