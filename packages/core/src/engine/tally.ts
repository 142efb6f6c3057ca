import { createHash } from 'node:crypto'
import { type PlannedBatch, placeOf, type StoreResult } from '../contract/batch.js'
import { ArchiverError } from '../contract/errors.js'
import { faultPoint } from '../contract/fault.js'
import type { BatchRecord } from '../contract/ledger.js'
import type { LogScoreChunk } from '../contract/log-score.js'
import { NameCounts, type Unarchived } from '../contract/unarchived.js'

/** Room for an identity in the ledger. */
const MAX_IDENTITY_CHARS = 1_024

/** Counts and hashes a batch's rows on their way from the source to the adapter. */
export class Tally {
  rows = 0
  private readonly batch: PlannedBatch
  private readonly ids = createHash('sha256')
  private firstId: bigint | undefined
  private lastId: bigint
  private minTsSeconds = Number.POSITIVE_INFINITY
  private maxTsSeconds = 0
  private readonly columns = new NameCounts()
  private readonly keys = new NameCounts()

  constructor(batch: PlannedBatch) {
    this.batch = batch
    this.lastId = batch.afterId
  }

  /** @throws when the chunk is not within the batch, or not after the chunk before it. */
  add(chunk: LogScoreChunk): void {
    const first = chunk.id[0]!
    const last = chunk.id[chunk.rows - 1]!
    if (first <= this.lastId || last < first || last > this.batch.upToId) throw this.outOfOrder(first, last)
    this.firstId ??= first
    this.lastId = last
    this.rows += chunk.rows
    this.countUnarchived(chunk)
    this.ids.update(new Uint8Array(chunk.id.buffer, chunk.id.byteOffset, chunk.rows * 8))
    for (let i = 0; i < chunk.rows; i++) {
      const ts = chunk.tsSeconds[i]!
      if (ts < this.minTsSeconds) this.minTsSeconds = ts
      if (ts > this.maxTsSeconds) this.maxTsSeconds = ts
    }
  }

  /** What no archive keeps of the rows; null for nothing. */
  get unarchived(): Unarchived | null {
    const { columns, keys } = this
    return columns.size + keys.size === 0 ? null : { columns: columns.toRecord(), keys: keys.toRecord() }
  }

  /** The last row seen; the batch's start while there is none. */
  get last(): bigint {
    return this.lastId
  }

  /** The catalogue entry; only for a batch that has rows, and only once. */
  record({ bytes, identity }: StoreResult): BatchRecord {
    if (this.firstId === undefined) throw this.outOfOrder(0n, 0n)
    return {
      rows: this.rows,
      firstId: this.firstId,
      lastId: this.lastId,
      minTsSeconds: this.minTsSeconds,
      maxTsSeconds: this.maxTsSeconds,
      idHash: this.ids.digest(),
      bytes,
      identity: namesThatFit(identity),
    }
  }

  private countUnarchived({ rows, attributes, unknownKeys, unknownColumns = [] }: LogScoreChunk): void {
    for (const name of unknownColumns) this.columns.add(name, rows)
    if (unknownKeys === undefined) return
    for (let i = 0; i < rows; i++) for (const key of unknownKeys.get(attributes[i]!) ?? []) this.keys.add(key, 1)
  }

  private outOfOrder(first: bigint, last: bigint): ArchiverError {
    return new ArchiverError(
      `the source gave ids ${first} to ${last} after ${this.lastId} for batch ${this.batch.id}`,
      {
        code: 'SOURCE_ORDER',
        ...placeOf(this.batch),
        hint: 'This is a defect of the archiver; nothing was marked.',
      },
    )
  }
}

/** Rows of another program may lie in hundreds of files: the catalogue names the first of them. */
function namesThatFit(identity: string): string {
  if (identity.length <= MAX_IDENTITY_CHARS) return identity
  const end = identity.lastIndexOf(', ', MAX_IDENTITY_CHARS)
  return identity.slice(0, end > 0 ? end : MAX_IDENTITY_CHARS)
}

/** Passes the chunks on and counts them; `onChunk` is called after each. */
export async function* tallied(
  chunks: AsyncIterable<LogScoreChunk>,
  tally: Tally,
  onChunk: () => void,
): AsyncGenerator<LogScoreChunk> {
  for await (const chunk of chunks) {
    tally.add(chunk)
    await faultPoint('store.chunk')
    yield chunk
    onChunk()
  }
}
