import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { ArchiverError, type Lease } from '@archiver/core'
import { googleFailure } from '@archiver/google'
import type { Bucket } from '@google-cloud/storage'
import { addressOf, keyFileOption } from './connect.js'
import { bigQueryError } from './errors.js'
import type { BigQueryArchiverOptions, ViaBucket } from './options.js'
import { IdleLimit, within } from './time-limits.js'

/** Where in the bucket the objects are; nothing else is ever touched there. */
const folder = 'bq-spool/'
const ending = '.avro'
/** What a sweep removes of, at most: the next pass does the rest. */
const pageObjects = 1000
/** A smaller file is sent again as quickly as a session to resume it is opened. */
const resumableBytes = 8 * 2 ** 20

/** Objects of a bucket on their way to BigQuery, named after the jobs that load them. */
export class BucketSpool {
  readonly #via: ViaBucket
  readonly #options: BigQueryArchiverOptions
  readonly #warnings: ArchiverError[] = []
  #bucket: Promise<Bucket> | undefined

  constructor(via: ViaBucket, options: BigQueryArchiverOptions) {
    this.#via = via
    this.#options = options
  }

  /** As {@link Link.renew}. */
  renew(): void {
    this.#bucket = undefined
  }

  /** Uploads the file as the object of the job, over whatever an earlier try left. @returns its URI. */
  async put(jobId: string, file: { readonly path: string; readonly bytes: number }, lease: Lease): Promise<string> {
    const uri = this.#uri(nameOf(jobId))
    lease.assertHeld()
    await this.#named(`cannot write ${uri}`, lease.signal, async (bucket) => {
      const object = bucket.file(nameOf(jobId)).createWriteStream({
        contentType: 'avro/binary',
        // To an endpoint of one's own the library sends sessions, and no others, without credentials.
        resumable: file.bytes > resumableBytes && this.#via.endpoint === undefined,
        validation: 'crc32c',
      })
      const idle = new IdleLimit()
      const signal = AbortSignal.any([lease.signal, idle.signal])
      try {
        await pipeline(createReadStream(file.path), checked(lease, idle), object, { signal })
      } catch (thrown) {
        throw idle.signal.aborted ? idle.signal.reason : thrown
      } finally {
        idle.end()
      }
    })
    return uri
  }

  /** Removes the object of a job that has ended. Where that fails, {@link sweep} does it later. */
  async remove(jobId: string, signal: AbortSignal): Promise<void> {
    await this.#removed(jobId, signal)
  }

  /** Removes the objects of jobs beginning with `prefix` that interrupted tries left, except those still in use. */
  async sweep(prefix: string, isInUse: (jobId: string) => Promise<boolean>, signal: AbortSignal): Promise<void> {
    const doing = `cannot look for leftovers in ${this.#uri(folder)}`
    const page = { prefix: folder + prefix, maxResults: pageObjects, autoPaginate: false }
    const [objects] = await this.#ask(doing, signal, (bucket) => bucket.getFiles(page))
    for (const { name } of objects) {
      const jobId = name.slice(folder.length, -ending.length)
      if (await isInUse(jobId)) continue
      // One that may not be deleted stands for all: a pass must not try each of them again.
      if (!(await this.#removed(jobId, signal))) return
    }
  }

  /** What has come up since the last call. */
  takeWarnings(): readonly ArchiverError[] {
    return this.#warnings.splice(0)
  }

  /** @returns false where the object may not be deleted, which becomes a warning. */
  async #removed(jobId: string, signal: AbortSignal): Promise<boolean> {
    const name = nameOf(jobId)
    const removed = this.#ask('', signal, async (bucket) => {
      try {
        await bucket.file(name).delete({ ignoreNotFound: true })
        return true
      } catch (thrown) {
        const { status, why } = googleFailure(thrown)
        if (status !== 403) return true
        this.#warnings.push(spoolKept(this.#uri(folder), why))
        return false
      }
    })
    return removed.catch(() => {
      signal.throwIfAborted()
      return true
    })
  }

  #uri(name: string): string {
    return `gs://${this.#via.name}/${name}`
  }

  /** For what is answered at once or not at all. */
  #ask<T>(doing: string, signal: AbortSignal, ask: (bucket: Bucket) => Promise<T>): Promise<T> {
    return this.#named(doing, signal, (bucket) => within(signal, ask(bucket)))
  }

  async #named<T>(doing: string, signal: AbortSignal, step: (bucket: Bucket) => Promise<T>): Promise<T> {
    signal.throwIfAborted()
    try {
      this.#bucket ??= open(this.#via, this.#options)
      return await step(await this.#bucket)
    } catch (thrown) {
      signal.throwIfAborted()
      throw bucketError(thrown, doing, this.#via.name)
    }
  }
}

async function open(via: ViaBucket, options: BigQueryArchiverOptions): Promise<Bucket> {
  const [{ Storage }, { PassThroughClient }] = await Promise.all([
    import('@google-cloud/storage'),
    import('google-auth-library'),
  ])
  const emulator = via.emulatorHost || process.env.STORAGE_EMULATOR_HOST
  const keyFile = emulator ? {} : await keyFileOption(options)
  const address = emulator ? addressOf(emulator, 'http') : via.endpoint && addressOf(via.endpoint, 'https')
  const storage = new Storage({
    projectId: options.projectId,
    ...(address ? { apiEndpoint: address, useAuthWithCustomEndpoint: true } : {}),
    ...(emulator ? { authClient: new PassThroughClient() } : {}),
    ...keyFile,
    // It repeats without asking whether there still is leave to.
    retryOptions: { autoRetry: false },
  })
  // With STORAGE_EMULATOR_HOST in the environment the library asks there, whatever it is told, and for /b/… .
  if (address) storage.baseUrl = `${address}/storage/v1`
  return storage.bucket(via.name, via.userProject ? { userProject: via.userProject } : {})
}

function nameOf(jobId: string): string {
  return folder + jobId + ending
}

function checked(lease: Lease, idle: IdleLimit) {
  return async function* (pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const piece of pieces) {
      lease.assertHeld()
      idle.touch()
      yield piece
    }
    lease.assertHeld()
  }
}

function spoolKept(folder: string, why: string): ArchiverError {
  return new ArchiverError(`files of loads that have ended cannot be deleted from ${folder}: ${why}`, {
    archiver: 'bigquery',
    code: 'BQ_SPOOL_KEPT',
    hint: 'Grant storage.objects.delete there, or name a bucket without a retention policy in gc_bucket. The rows are in BigQuery.',
  })
}

function bucketError(thrown: unknown, doing: string, bucket: string): ArchiverError {
  const error = bigQueryError(thrown, doing)
  const { status } = googleFailure(thrown)
  if (status !== 403 && status !== 404) return error
  return new ArchiverError(error.message, {
    archiver: 'bigquery',
    code: 'BQ_BUCKET',
    hint: `bq_via_gcs sends files through gs://${bucket} (gc_bucket): create it, or grant roles/storage.objectUser on it.`,
  })
}
