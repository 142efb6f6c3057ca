import type { SpooledFile } from '@archiver/avro'
import { ArchiverError, type ErrorPlace, faultPoint, type Permit, type PlannedBatch } from '@archiver/core'
import type { JobMetadata } from '@google-cloud/bigquery'
import type { BucketSpool } from './bucket-spool.js'
import { bigQueryError, failureOf, jobError } from './errors.js'
import { jobIdOf, labelsOf, rangeOf } from './job-id.js'
import { findJob, type LoadJob, pause, settledJob } from './jobs.js'
import type { Link } from './link.js'
import { LoadsToday } from './loads-today.js'
import type { TsType } from './table.js'
import { uploadJob } from './upload.js'

/** A request is sent again this often before the engine is left to decide; the file need not be made again. */
const sends = 3

export interface LoaderOptions {
  readonly link: Link
  readonly maxLoadsPerDay: number
  readonly bucket: BucketSpool | undefined
}

/** Loads whole files into a table, each once. */
export class Loader {
  readonly #link: Link
  readonly #maxLoadsPerDay: number
  readonly #bucket: BucketSpool | undefined
  readonly #today = new Map<string, LoadsToday>()
  readonly #spent = new Set<string>()

  constructor({ link, maxLoadsPerDay, bucket }: LoaderOptions) {
    this.#link = link
    this.#maxLoadsPerDay = maxLoadsPerDay
    this.#bucket = bucket
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
  async load(batch: PlannedBatch, file: SpooledFile, tsType: TsType, permit: Permit): Promise<string> {
    const target = { dataset: this.#link.dataset, table: batch.table }
    for (let attempt = 1; ; attempt++) {
      const id = jobIdOf(target, batch.id, attempt)
      const known = await settledJob(this.#link, id, permit, placeOf(batch))
      const job = known ?? (await this.#send(this.#jobOf(id, batch, file, tsType), id, batch, file, permit))
      if (job.state === 'failed') {
        if (known === undefined) throw jobError(id, job.errors, placeOf(batch))
      } else if (!this.#spent.has(id) && holdsRange(job, batch, file.rows)) {
        return id
      }
    }
  }

  /** All of BigQuery's that a batch may have left, ended: a job for each attempt. */
  async settled(batch: PlannedBatch, permit: Permit, takeoverWaitMs: number): Promise<LoadJob[]> {
    const target = { dataset: this.#link.dataset, table: batch.table }
    const jobs: LoadJob[] = []
    for (;;) {
      const id = jobIdOf(target, batch.id, jobs.length + 1)
      const look = () => settledJob(this.#link, id, permit, placeOf(batch))
      const job = (await look()) ?? (await pause(takeoverWaitMs, permit.signal).then(look))
      if (job === undefined) return jobs
      jobs.push(job)
    }
  }

  #jobOf(jobId: string, batch: PlannedBatch, file: SpooledFile, tsType: TsType): JobMetadata {
    const { projectId, dataset } = this.#link
    return {
      jobReference: { projectId, jobId },
      configuration: {
        labels: labelsOf(batch, file.rows),
        load: {
          destinationTable: { projectId, datasetId: dataset, tableId: batch.table },
          sourceFormat: 'AVRO',
          useAvroLogicalTypes: tsType === 'TIMESTAMP',
          createDisposition: 'CREATE_NEVER',
          writeDisposition: 'WRITE_APPEND',
        },
      },
    }
  }

  /** Sends the job until BigQuery has it, and waits for its end. */
  async #send(job: JobMetadata, id: string, batch: PlannedBatch, file: SpooledFile, permit: Permit): Promise<LoadJob> {
    const place = placeOf(batch)
    for (let sent = 1; ; sent++) {
      await this.#loadsInto(batch.table).require(batch, permit)
      permit.check()
      try {
        await this.#transmit(job, id, file, permit)
        break
      } catch (thrown) {
        permit.check()
        if (failureOf(thrown).status === 409) break
        const error = bigQueryError(thrown, `cannot load ${file.bytes} bytes (job ${id})`, place)
        // A token may have come to its end on the way: the next request gets a new one.
        if (sent === sends || !(error.retryable || (error.code === 'BQ_LOGIN' && sent === 1))) throw error
      }
      await pause(250 * 2 ** sent, permit.signal)
      if (await findJob(this.#link, id, permit.signal)) break
    }
    this.#loadsInto(batch.table).add()
    await faultPoint('bigquery.sent')
    const ended = await settledJob(this.#link, id, permit, place)
    await this.#bucket?.remove(id, permit.signal)
    if (ended === undefined) throw unknownJob(id, place)
    return ended
  }

  async #transmit(job: JobMetadata, id: string, file: SpooledFile, permit: Permit): Promise<void> {
    const location = await this.#link.location(permit.signal)
    if (this.#bucket === undefined) {
      await uploadJob(this.#link, { ...job, jobReference: { ...job.jobReference, location } }, file, permit)
      return
    }
    const sourceUris = [await this.#bucket.put(id, file, permit)]
    const configuration = { ...job.configuration, load: { ...job.configuration?.load, sourceUris } }
    permit.check()
    await this.#link.call(`cannot start the job ${id}`, permit.signal, (client) =>
      client.createJob({ jobId: id, location, configuration }).catch((thrown: unknown) => {
        if (failureOf(thrown).status !== 409) throw thrown
      }),
    )
  }

  #loadsInto(table: string): LoadsToday {
    const known = this.#today.get(table) ?? new LoadsToday(this.#link, table, this.#maxLoadsPerDay)
    this.#today.set(table, known)
    return known
  }
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

function placeOf({ archiver, table, afterId, upToId }: PlannedBatch): ErrorPlace {
  return { archiver, table, afterId, upToId }
}
