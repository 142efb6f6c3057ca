import { type SchemaVersion, Spool, type SpooledFile } from '@archiver/avro'
import {
  ArchiverError,
  type BatchPolicy,
  type BatchSource,
  faultPoint,
  type Lease,
  type LogScoreChunk,
  leaseUntil,
  type PlannedBatch,
  placeOf,
  type ReadableArchiver,
  type StoredRows,
  type StoreResult,
} from '@archiver/core'
import { BucketSpool } from './bucket-spool.js'
import { checkedKeyFile, emulatorOf } from './connect.js'
import { jobPrefixOf } from './job-id.js'
import { findJob } from './jobs.js'
import { Link } from './link.js'
import { Loader } from './load.js'
import { type BigQueryArchiverOptions, defaultBatch } from './options.js'
import { missingStatements, prepareTable } from './prepare-table.js'
import { BigQueryReader } from './reader.js'
import { resultOf } from './result.js'
import { storedRows } from './stored.js'
import type { TsType } from './table.js'

/** The load is spooled, partly sent, has its job, has ended. */
declare module '@archiver/core' {
  interface FaultPoints {
    'bigquery.spooled': true
    'bigquery.sending': true
    'bigquery.sent': true
    'bigquery.loaded': true
  }
}

/**
 * The archive in BigQuery. Nothing is loaded or connected before `prepare`, `store`, `stored` or the reader is called.
 *
 * @throws ArchiverError (`BQ_NAME`) for names that are none.
 */
export function createBigQueryArchiver(options: BigQueryArchiverOptions): ReadableArchiver {
  return new BigQueryArchiver(options)
}

class BigQueryArchiver implements ReadableArchiver {
  readonly name = 'bigquery'
  encodedMs = 0
  readonly policy: BatchPolicy
  readonly reader: BigQueryReader
  readonly #options: BigQueryArchiverOptions
  readonly #link: Link
  readonly #spool: Spool
  readonly #bucket: BucketSpool | undefined
  readonly #loader: Loader
  readonly #schema: SchemaVersion
  readonly #tsTypes = new Map<string, TsType>()

  constructor(options: BigQueryArchiverOptions) {
    const {
      projectId,
      dataset,
      viaBucket,
      formerBucket,
      scope = 'archiver',
      spoolPath,
      maxLoadsPerDay = 1000,
      takeoverWaitMs = 2000,
      schema = 1,
    } = options
    requireName('bq_project', projectId, /^[a-z][a-z0-9.:-]*$/)
    requireName('bq_dataset', dataset, /^\w+$/)
    this.policy = { ...defaultBatch, ...options.batch }
    this.#options = options
    this.#schema = schema
    this.#link = new Link(options)
    this.#spool = new Spool({ path: spoolPath, scope: `${scope}.bigquery` })
    this.#bucket = viaBucket && new BucketSpool(viaBucket, options)
    this.#loader = new Loader({
      link: this.#link,
      maxLoadsPerDay,
      takeoverWaitMs,
      bucket: this.#bucket,
      formerBucket: viaBucket === undefined && formerBucket ? new BucketSpool(formerBucket, options) : undefined,
      schema,
    })
    this.reader = new BigQueryReader(this.#link)
  }

  async validate(): Promise<void> {
    if (emulatorOf(this.#options) === undefined) await checkedKeyFile(this.#options)
    await this.#spool.check()
  }

  async pendingDdl(table: string): Promise<readonly string[]> {
    await this.validate()
    return missingStatements(this.#link, table, this.#wishes, leaseUntil().signal)
  }

  async prepare(table: string): Promise<void> {
    const { signal } = leaseUntil()
    this.#loader.begin()
    await this.validate()
    await this.#spool.sweep(table)
    this.#tsTypes.set(table, await prepareTable(this.#link, table, this.#wishes, signal))
    const isRunning = async (jobId: string) => (await findJob(this.#link, jobId, signal))?.state === 'running'
    await this.#bucket?.sweep(jobPrefixOf({ dataset: this.#link.dataset, table }), isRunning, signal)
  }

  async store(batch: PlannedBatch, chunks: AsyncIterable<LogScoreChunk>, lease: Lease): Promise<StoreResult> {
    lease.assertHeld()
    const tsType = this.#tsTypes.get(batch.table)
    if (tsType === undefined) throw new Error(`prepare was not called for ${batch.table}`)
    await using file = await this.#spool.write(batch, chunks, lease, this.#format)
    this.encodedMs += file.encodeMs
    if (file.rows === 0) return { rows: 0, bytes: 0, identity: '' }
    this.#requireSmall(file, batch)
    await faultPoint('bigquery.spooled')
    const jobId = await this.#loader.load({ batch, file, tsType, lease })
    await faultPoint('bigquery.loaded')
    return resultOf(file, jobId)
  }

  findStored(batch: PlannedBatch, source: BatchSource, lease: Lease): Promise<StoredRows> {
    lease.assertHeld()
    const { dataset } = this.#options
    const link = { loader: this.#loader, reader: this.reader, dataset, schema: this.#schema }
    return storedRows({ ...link, batch, source, lease })
  }

  takeWarnings(): readonly ArchiverError[] {
    return this.#bucket?.takeWarnings() ?? []
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  get #wishes() {
    return { schema: this.#schema, acceptExpiry: this.#options.acceptExpiry ?? false }
  }

  get #format() {
    return { schema: this.#schema, mostRows: this.policy.maxRows }
  }

  #requireSmall({ bytes }: SpooledFile, batch: PlannedBatch): void {
    const { maxUploadBytes = 1e9 } = this.#options
    if (this.#bucket !== undefined || bytes <= maxUploadBytes) return
    const message = `the file of the batch has ${bytes} bytes, more than the ${maxUploadBytes} that are sent to BigQuery directly`
    const hint = 'Set bq_via_gcs=true, so that it goes through a bucket; or make batches smaller (batch_bq_max_size).'
    throw new ArchiverError(message, { code: 'BQ_FILE_TOO_LARGE', hint, ...placeOf(batch) })
  }
}

function requireName(variable: string, name: string, pattern: RegExp): void {
  if (pattern.test(name)) return
  throw new ArchiverError(`${variable}: ${JSON.stringify(name)} is no name that BigQuery knows`, {
    code: 'BQ_NAME',
    archiver: 'bigquery',
    hint: 'Copy it from the console: the id of the project, the name of the data set without the project.',
  })
}
