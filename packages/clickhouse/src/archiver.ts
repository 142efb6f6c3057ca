import type {
  ArchiveRight,
  BatchPolicy,
  BatchSource,
  Lease,
  LogScoreChunk,
  PlannedBatch,
  ReadableArchiver,
  StoredRows,
  StoreResult,
} from '@archiver/core'
import { parseClickHouseDsn } from './dsn.js'
import { Embedded } from './embedded.js'
import type { Links } from './link.js'
import { missingStatements, prepareTable } from './prepare-table.js'
import { ClickHouseReader } from './reader.js'
import { rightsFor } from './rights.js'
import { Servers } from './servers.js'
import { queryIdOf, storeBatch } from './store.js'
import { storedRows } from './stored.js'
import { type ClickHouseTarget, targetText } from './target.js'

/** The insert is partly sent, is answered. */
declare module '@archiver/core' {
  interface FaultPoints {
    'clickhouse.sending': true
    'clickhouse.sent': true
  }
}

export interface ClickHouseArchiverOptions {
  /** `ch_dsn`, or what {@link parseClickHouseDsn} made of it. */
  readonly dsn: string | ClickHouseTarget
  /** Default 50 rows, 500,000 rows, 0 ms. */
  readonly batch?: Partial<BatchPolicy>
  /**
   * How long {@link Archiver.findStored} waits, once no statement of the batch runs any more, for one that the server has
   * accepted but not begun (`archive_takeover_wait`). Default 2000.
   */
  readonly takeoverWaitMs?: number
  /** `archive_expires`: a table that drops rows with time (TTL) is accepted. Default false. */
  readonly acceptExpiry?: boolean
}

/**
 * The archive in a ClickHouse server, or in the engine inside this process. Nothing is connected before `prepare`,
 * `store` or `stored` is called.
 *
 * @throws ArchiverError (`CLICKHOUSE_DSN`) for a DSN that cannot be read.
 */
export function createClickHouseArchiver(options: ClickHouseArchiverOptions): ReadableArchiver {
  return new ClickHouseArchiver(options)
}

class ClickHouseArchiver implements ReadableArchiver {
  readonly name = 'clickhouse'
  encodedMs = 0
  readonly policy: BatchPolicy
  readonly reader: ClickHouseReader
  readonly #links: Links
  readonly #target: ClickHouseTarget
  readonly #acceptExpiry: boolean

  constructor({ dsn, batch, takeoverWaitMs = 2000, acceptExpiry = false }: ClickHouseArchiverOptions) {
    this.#acceptExpiry = acceptExpiry
    const target = typeof dsn === 'string' ? parseClickHouseDsn(dsn) : dsn
    this.#target = target
    this.policy = { minRows: 50, maxRows: 500_000, intervalMs: 0, ...batch }
    const masked = targetText(target)
    this.#links =
      target.kind === 'embedded' ? new Embedded(target, masked) : new Servers(target, masked, takeoverWaitMs)
    this.reader = new ClickHouseReader(this.#links, masked)
  }

  rights(table: string): readonly ArchiveRight[] {
    return rightsFor(this.#target, table)
  }

  pendingDdl(table: string): Promise<readonly string[]> {
    return this.#links.preview((link, facts) => missingStatements(link, this.#place, table, facts))
  }

  async prepare(table: string): Promise<void> {
    const { link, facts } = await this.#links.prepare(table)
    await prepareTable(link, this.#place, table, facts)
  }

  async store(batch: PlannedBatch, chunks: AsyncIterable<LogScoreChunk>, lease: Lease): Promise<StoreResult> {
    const link = await this.#links.reach()
    try {
      const { result, encodeMs } = await storeBatch(link, this.#links.database, batch, chunks, lease)
      this.encodedMs += encodeMs
      return result
    } catch (thrown) {
      this.#links.interrupted()
      throw thrown
    }
  }

  async findStored(batch: PlannedBatch, source: BatchSource, lease: Lease): Promise<StoredRows> {
    lease.assertHeld()
    await this.#links.settle(queryIdOf(this.#links.database, batch), lease)
    return storedRows(await this.#links.reach(), this.#links.database, batch, source, lease)
  }

  get #place() {
    const { database, createsDatabase } = this.#links
    return { database, createsDatabase, acceptExpiry: this.#acceptExpiry }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#links.close()
  }
}
