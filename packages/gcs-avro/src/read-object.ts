import type { Readable } from 'node:stream'
import { ArchiverError } from '@archiver/core'
import { googleFailure } from '@archiver/google'
import type { Bucket } from '@google-cloud/storage'
import type { Connection } from './connection.js'
import { Crc32c } from './crc32c.js'
import { checksumError } from './storage-errors.js'
import type { StoredObject } from './stored-object.js'

/**
 * The bytes of an object, of this very generation of it. Where the connection breaks, the rest is asked for. The checksum is
 * compared at the end, if it is reached.
 */
export async function* readObject(
  connection: Connection,
  object: StoredObject,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const name = `${connection.name}/${object.name}`
  const sum = new Crc32c()
  using bytes = new ObjectBytes(object, connection.userProject)
  while (bytes.position < object.bytes) {
    const piece = await connection.ask(`cannot read ${object.name}`, signal, (bucket) => bytes.next(bucket, name))
    sum.update(piece)
    yield piece
  }
  if (sum.base64 === object.crc32c) return
  throw checksumError(`${name} was read with the checksum ${sum.base64}, not ${object.crc32c}`)
}

/**
 * A stream of an object that is opened anew, where it was, after every failure. Not the library's: that one cannot be
 * aborted, and stacks so many streams that Node warns of a leak.
 */
class ObjectBytes implements Disposable {
  readonly #object: StoredObject
  readonly #userProject: string | undefined
  readonly #end = new AbortController()
  #stream: Readable | undefined
  #pieces: AsyncIterator<Uint8Array> | undefined
  /** False while a piece is awaited, and so after one that nobody waits for any more. */
  #settled = false
  position = 0

  constructor(object: StoredObject, userProject: string | undefined) {
    this.#object = object
    this.#userProject = userProject
  }

  async next(bucket: Bucket, name: string): Promise<Uint8Array> {
    const pieces = this.#settled && this.#pieces ? this.#pieces : await this.#open(bucket, name)
    this.#settled = false
    const next = await pieces.next()
    if (next.done) throw new Error(`premature close: ${this.position} of ${this.#object.bytes} bytes came`)
    this.position += next.value.length
    this.#settled = true
    return next.value
  }

  async #open(bucket: Bucket, messageName: string): Promise<AsyncIterator<Uint8Array>> {
    this.#stream?.destroy()
    const { name, generation } = this.#object
    const userProject = this.#userProject
    const answer = await bucket.storage.authClient
      .request<Readable>({
        url: `${bucket.storage.baseUrl}/b/${bucket.name}/o/${encodeURIComponent(name)}`,
        params: { alt: 'media', generation, ...(userProject ? { userProject } : {}) },
        headers: this.position > 0 ? { range: `bytes=${this.position}-` } : {},
        responseType: 'stream',
        retry: false,
        signal: this.#end.signal,
      })
      .catch((thrown: unknown) => {
        throw googleFailure(thrown).status === 404 ? gone(messageName) : thrown
      })
    this.#stream = answer.data
    this.#pieces = answer.data[Symbol.asyncIterator]()
    return this.#pieces
  }

  [Symbol.dispose](): void {
    this.#end.abort()
    this.#stream?.destroy()
  }
}

function gone(name: string): ArchiverError {
  return new ArchiverError(`${name} was removed or replaced while it was read`, {
    archiver: 'gcsavro',
    code: 'GCS_OBJECT_GONE',
    hint: 'Ask again; what is there now is another object.',
  })
}
