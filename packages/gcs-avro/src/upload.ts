import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { ArchiverError, type ErrorPlace, faultPoint, type Lease } from '@archiver/core'
import { googleFailure } from '@archiver/google'
import type { Bucket, File } from '@google-cloud/storage'
import { type Connection, Stopped } from './connection.js'
import type { Parcel } from './parcel.js'
import { type StoredObject, storedObject } from './stored-object.js'

/** Headers that go with every object. */
export interface ObjectHeaders {
  readonly contentType: string
  readonly cacheControl: string
}

/** One object on its way. */
export interface Delivery {
  readonly connection: Connection
  readonly name: string
  readonly parcel: Parcel
  readonly headers: ObjectHeaders
  /** Send it so that it can be resumed. */
  readonly resumable: boolean
  readonly lease: Lease
  readonly place: ErrorPlace
}

/** What must be under the name for the object to be taken: `0` for nothing. */
export type Generation = string

/**
 * Sends the object as often as it takes. Cloud Storage takes all of it or nothing, compares the checksum, and takes it only
 * while `generation` is what is there.
 *
 * @returns the object; undefined where something else is there, which may be what an earlier try has left.
 */
export async function upload(delivery: Delivery, generation: Generation): Promise<StoredObject | undefined> {
  const { connection, name, parcel, lease, place } = delivery
  const upload = delivery.resumable ? new ResumableUpload(delivery, generation) : undefined
  const doing = `cannot store ${name} (${parcel.bytes} bytes)`
  return connection.call(
    doing,
    lease.signal,
    async (bucket) => {
      try {
        return await (upload ? upload.attempt(bucket) : sendAtOnce(delivery, generation, bucket))
      } catch (thrown) {
        if (googleFailure(thrown).status === 412) return undefined
        throw thrown
      }
    },
    place,
  )
}

function resource({ parcel, headers }: Delivery) {
  return { ...headers, crc32c: parcel.crc32c, metadata: { ...parcel.metadata } }
}

async function sendAtOnce(delivery: Delivery, generation: Generation, bucket: Bucket): Promise<StoredObject> {
  const { connection, name, parcel, lease } = delivery
  const file = bucket.file(name)
  const bytes = await readFile(parcel.path)
  await leave(lease)
  const options = { resumable: false, validation: false, metadata: resource(delivery) }
  await connection.within(lease.signal, file.save(bytes, { ...options, preconditionOpts: precondition(generation) }))
  return storedObject(file.metadata)
}

function precondition(generation: Generation): { ifGenerationMatch: number | string } {
  return { ifGenerationMatch: generation }
}

/** Before bytes are sent that may make the object complete. */
async function leave(lease: Lease): Promise<void> {
  await faultPoint('gcs.sending')
  try {
    lease.assertHeld()
  } catch (reason) {
    throw new Stopped(reason)
  }
}

/**
 * An upload by a session: what has arrived stays there for a week, and each try goes on after it. The storage library's own
 * streams keep the last piece they sent and no more, so they cannot; of it the session and the credentials are used.
 */
class ResumableUpload {
  readonly #delivery: Delivery
  readonly #generation: Generation
  /** As good as a key: it goes into no message. */
  #session: string | undefined

  constructor(delivery: Delivery, generation: Generation) {
    this.#delivery = delivery
    this.#generation = generation
  }

  async attempt(bucket: Bucket): Promise<StoredObject> {
    const progress = this.#session === undefined ? 0 : await this.#progress(bucket)
    if (typeof progress !== 'number') return progress
    this.#session ??= await this.#begin(bucket.file(this.#delivery.name))
    return this.#send(bucket, this.#session, progress)
  }

  async #begin(file: File): Promise<string> {
    const { connection, parcel, lease } = this.#delivery
    const metadata = { ...resource(this.#delivery), contentLength: parcel.bytes }
    const options = { metadata, preconditionOpts: precondition(this.#generation) }
    const [session] = await connection.within(lease.signal, file.createResumableUpload(options))
    return session
  }

  /** How many bytes have arrived, or the object if they all have. A session that is not known any more is given up. */
  async #progress(bucket: Bucket): Promise<number | StoredObject> {
    const { connection, parcel, lease } = this.#delivery
    const question = this.#request(bucket, this.#session!, `bytes */${parcel.bytes}`, { 'content-length': '0' })
    try {
      const { data } = await connection.within(lease.signal, question)
      return storedObject(data)
    } catch (thrown) {
      if (googleFailure(thrown).status === 308) return arrivedBytes(thrown)
      if (!this.#endsSession(thrown)) throw thrown
      return 0
    }
  }

  /** Whether the session is over and done with: the next try begins another. */
  #endsSession(thrown: unknown): boolean {
    const { status } = googleFailure(thrown)
    if (status !== 400 && status !== 404 && status !== 410) return false
    this.#session = undefined
    return true
  }

  async #send(bucket: Bucket, session: string, from: number): Promise<StoredObject> {
    const { parcel, lease, headers: objectHeaders } = this.#delivery
    const body = new GuardedBody(this.#delivery, from)
    const range = `bytes ${from}-${parcel.bytes - 1}/${parcel.bytes}`
    const headers = { 'content-length': String(parcel.bytes - from), 'content-type': objectHeaders.contentType }
    const signal = AbortSignal.any([lease.signal, body.stalled])
    try {
      const { data } = await this.#request(bucket, session, range, headers, { body: body.stream, signal })
      return storedObject(data)
    } catch (thrown) {
      if (body.stopped) throw body.stopped
      if (body.stalled.aborted) throw body.stalled.reason
      // Of the bucket's absence the next session tells; a checksum that does not fit is told here.
      if (this.#endsSession(thrown) && googleFailure(thrown).status !== 400) throw sessionLost()
      throw thrown
    } finally {
      body[Symbol.dispose]()
    }
  }

  #request(
    bucket: Bucket,
    url: string,
    range: string,
    headers: Readonly<Record<string, string>>,
    more: { readonly body?: Readable; readonly signal?: AbortSignal } = {},
  ) {
    const { userProject } = this.#delivery.connection
    return bucket.storage.authClient.request<unknown>({
      ...more,
      method: 'PUT',
      url,
      headers: { ...headers, 'content-range': range },
      responseType: 'json',
      retry: false,
      ...(userProject ? { params: { userProject } } : {}),
    })
  }
}

function sessionLost(): ArchiverError {
  const hint = 'Another session is begun.'
  return new ArchiverError('the upload session is not known any more', { code: 'GCS_BUSY', retryable: true, hint })
}

/** @param answer - an error with a status of 308, which says what has arrived: `bytes=0-1048575`, or nothing at all. */
function arrivedBytes(answer: unknown): number {
  const { response } = answer as { response?: { headers?: Headers } } // of the HTTP client
  const last = /^bytes=0-(\d+)$/.exec(response?.headers?.get('range') ?? '')?.[1]
  return last === undefined ? 0 : Number(last) + 1
}

/** The rest of a file as a request's body, which ends where there is no leave to go on, or nobody takes it. */
class GuardedBody implements Disposable {
  readonly stream: Readable
  readonly #stall = new AbortController()
  readonly #limitMs: number
  readonly #lease: Lease
  #timer: NodeJS.Timeout
  stopped: Stopped | undefined

  constructor({ connection, parcel, lease }: Delivery, from: number) {
    this.#lease = lease
    this.#limitMs = connection.patience.answerLimitMs
    this.#timer = this.#watch()
    this.stream = Readable.from(this.#pieces(parcel.path, from), { objectMode: false })
    this.stream.on('error', () => {}) // the request tells
  }

  /** Aborts when no byte was taken for too long. */
  get stalled(): AbortSignal {
    return this.#stall.signal
  }

  async *#pieces(path: string, from: number): AsyncGenerator<Uint8Array> {
    for await (const piece of createReadStream(path, { start: from, highWaterMark: 2 ** 20 })) {
      clearTimeout(this.#timer)
      await leave(this.#lease).catch((thrown: unknown) => {
        if (thrown instanceof Stopped) this.stopped = thrown
        throw thrown
      })
      this.#timer = this.#watch()
      yield piece
    }
  }

  #watch(): NodeJS.Timeout {
    const reason = new Error(`no byte was taken for ${this.#limitMs / 1000} s`)
    return setTimeout(() => this.#stall.abort(reason), this.#limitMs)
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.stream.destroy()
  }
}
