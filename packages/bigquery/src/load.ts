import type { SchemaVersion, SpooledFile } from '@archiver/avro'
import {
  ArchiverError,
  type ErrorPlace,
  faultPoint,
  type Lease,
  type PlannedBatch,
  pause,
  placeOf,
  TakeoverWait,
} from '@archiver/core'
import { googleFailure } from '@archiver/google'
import type { BucketSpool } from './bucket-spool.js'
import { bigQueryError, jobError } from './errors.js'
import { batchPrefixOf, jobIdOf, labelsOf, rangeOf } from './job-id.js'
import { findJob, type LoadJob, settledJob } from './jobs.js'
import { type Link, request } from './link.js'
import { LoadsToday } from './loads-today.js'
import type { TsType } from './table.js'
import { within } from './time-limits.js'
import { uploadJob } from './upload.js'

/** A request is sent again this often before the engine is left to decide; the file need not be made again. */
const sends = 3

/** The first load of version 2 adds its columns to a table that lacks them, and lets monitor_id be NULL. */
const additions = ['ALLOW_FIELD_ADDITION', 'ALLOW_FIELD_RELAXATION']

export interface LoaderOptions {
  readonly link: Link
  readonly maxLoadsPerDay: number
  /** How long BigQuery may have accepted a job and not begun it. */
  readonly takeoverWaitMs: number
  readonly bucket: BucketSpool | undefined
  readonly schema: SchemaVersion
  /** Which files went through before. */
  readonly formerBucket: BucketSpool | undefined
}

/** A batch's file on its way. */
interface Load {
  readonly batch: PlannedBatch
  readonly file: SpooledFile
  readonly tsType: TsType
  readonly lease: Lease
}

/** Loads whole files into a table, each once. */
export class Loader {
  readonly #link: Link
  readonly #maxLoadsPerDay: number
  readonly #bucket: BucketSpool | undefined
  readonly #schema: SchemaVersion
  readonly #formerBucket: BucketSpool | undefined
  readonly #today = new Map<string, LoadsToday>()
  readonly #spent = new Set<string>()
  readonly #takeover: TakeoverWait

  constructor({ link, maxLoadsPerDay, takeoverWaitMs, bucket, formerBucket, schema }: LoaderOptions) {
    this.#takeover = new TakeoverWait(takeoverWaitMs)
    this.#schema = schema
    this.#link = link
    this.#maxLoadsPerDay = maxLoadsPerDay
    this.#bucket = bucket
    this.#formerBucket = formerBucket
  }

  /** The lock was just taken: who had it before may have sent a job until now. */
  begin(): void {
    this.#takeover.restart()
  }

  /** Notes that the rows which these jobs loaded are not in the table any more: they are not taken for a batch's. */
  spend(jobs: readonly LoadJob[]): void {
    for (const { id } of jobs) this.#spent.add(id)
  }

  /**
   * Loads the file under the first job id of the batch that has not failed, or adopts the job that has done so already.
   * The ids make it safe to send again: BigQuery takes each once.
   *
   * @returns the job's id.
   */
  async load(load: Load): Promise<string> {
    const { batch, file, lease } = load
    for (let attempt = 1; ; attempt++) {
      const id = this.#idOf(batch, attempt)
      const known = await settledJob(this.#link, id, lease, placeOf(batch))
      const job = known ?? (await this.#send(id, load))
      if (job.state === 'failed') {
        if (known === undefined) throw jobError(id, job.errors, placeOf(batch))
      } else if (!this.#spent.has(id) && holdsRange(job, batch, file.rows)) {
        return id
      }
    }
  }

  /** All of BigQuery's that a batch may have left, ended: a job for each attempt. What they read is not needed any more. */
  async settled(batch: PlannedBatch, lease: Lease): Promise<LoadJob[]> {
    const jobs: LoadJob[] = []
    for (;;) {
      const id = this.#idOf(batch, jobs.length + 1)
      const look = () => settledJob(this.#link, id, lease, placeOf(batch))
      const job = (await look()) ?? ((await this.#takeover.done(lease.signal)) ? await look() : undefined)
      if (job === undefined) break
      jobs.push(job)
    }
    await this.#clearBucket(batch, lease.signal)
    return jobs
  }

  /**
   * Removes the objects of a batch whose jobs have all ended: while one of them ran, the sweep of the bucket kept its object,
   * and the process that waited for it may have died. Files may not go through the bucket any more, and the account may have
   * lost its rights there: where it fails, the object stays.
   */
  async #clearBucket({ table, id }: PlannedBatch, signal: AbortSignal): Promise<void> {
    const prefix = batchPrefixOf({ dataset: this.#link.dataset, table }, id)
    const cleared = (this.#bucket ?? this.#formerBucket)?.sweep(prefix, async () => false, signal)
    await cleared?.catch(() => signal.throwIfAborted())
  }

  #idOf({ table, id }: PlannedBatch, attempt: number): string {
    return jobIdOf({ dataset: this.#link.dataset, table }, id, attempt)
  }

  /** Sends the job until BigQuery has it, and waits for its end. */
  async #send(id: string, load: Load): Promise<LoadJob> {
    const { batch, lease } = load
    await this.#sendUntilTaken(id, load)
    this.#loadsInto(batch.table).add()
    await faultPoint('bigquery.sent')
    const ended = await settledJob(this.#link, id, lease, placeOf(batch))
    await this.#bucket?.remove(id, lease.signal)
    if (ended === undefined) throw unknownJob(id, placeOf(batch))
    return ended
  }

  async #sendUntilTaken(id: string, load: Load): Promise<void> {
    const { batch, file, lease } = load
    for (let sent = 1, renewed = false; ; sent++) {
      await this.#loadsInto(batch.table).require(batch, lease)
      lease.assertHeld()
      try {
        return await this.#transmit(id, load)
      } catch (thrown) {
        this.#takeover.restart()
        lease.assertHeld()
        if (isTaken(thrown)) return
        const error = bigQueryError(thrown, `cannot load ${file.bytes} bytes (job ${id})`, placeOf(batch))
        // A token may have come to its end on the way.
        const renewable = error.code === 'BQ_LOGIN' && !renewed
        if (sent === sends || !(error.retryable || renewable)) throw error
        if (renewable) {
          renewed = true
          this.#link.renew()
          this.#bucket?.renew()
        }
      }
      await pause(250 * 2 ** sent, lease.signal)
      if (await findJob(this.#link, id, lease.signal)) return
    }
  }

  async #transmit(id: string, { batch, file, tsType, lease }: Load): Promise<void> {
    const { projectId, dataset } = this.#link
    const location = await this.#link.location(lease.signal)
    const jobReference = { projectId, jobId: id, location }
    const labels = labelsOf(batch, file.rows)
    const load = {
      destinationTable: { projectId, datasetId: dataset, tableId: batch.table },
      sourceFormat: 'AVRO',
      useAvroLogicalTypes: tsType === 'TIMESTAMP',
      createDisposition: 'CREATE_NEVER',
      writeDisposition: 'WRITE_APPEND',
      ...(this.#schema === 2 ? { schemaUpdateOptions: additions } : {}),
    }
    if (this.#bucket === undefined) {
      return uploadJob(this.#link, { jobReference, configuration: { labels, load } }, file, lease)
    }
    const sourceUris = [await this.#bucket.put(id, file, lease)]
    const json = { jobReference, configuration: { labels, load: { ...load, sourceUris } } }
    lease.assertHeld()
    await within(lease.signal, request(await this.#link.client(), { method: 'POST', uri: '/jobs', json }))
  }

  #loadsInto(table: string): LoadsToday {
    const known = this.#today.get(table) ?? new LoadsToday(this.#link, table, this.#maxLoadsPerDay)
    this.#today.set(table, known)
    return known
  }
}

/** Whether BigQuery says that it has a job of this id already. */
function isTaken(thrown: unknown): boolean {
  return googleFailure(thrown).status === 409
}

/**
 * Whether a job that is done holds the batch's rows; false where it is of other rows altogether (batch ids begin anew in a
 * database that was restored).
 *
 * @throws ArchiverError `BQ_JOB_DIFFERS` where it may hold some of them.
 */
function holdsRange(job: LoadJob, batch: PlannedBatch, rows: number): boolean {
  const range = rangeOf(job.labels)
  const same = range?.afterId === batch.afterId && range.upToId === batch.upToId
  if (same && job.rows === rows) return true
  if (range !== undefined && (range.upToId <= batch.afterId || range.afterId >= batch.upToId)) return false
  const found = range === undefined ? 'a job of unknown origin' : `ids above ${range.afterId}, up to ${range.upToId}`
  throw new ArchiverError(`the job ${job.id} (${found}) has loaded ${job.rows} rows, the batch has ${rows}`, {
    code: 'BQ_JOB_DIFFERS',
    hint: 'The next try compares the table with the source, row by row.',
    retryable: true,
    ...placeOf(batch),
  })
}

function unknownJob(id: string, place: ErrorPlace): ArchiverError {
  return new ArchiverError(`BigQuery has taken the job ${id} and does not know it`, {
    code: 'BQ_JOB_UNKNOWN',
    hint: 'The next try looks for it again.',
    retryable: true,
    ...place,
  })
}
