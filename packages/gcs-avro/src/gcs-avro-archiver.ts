import { AvroArchiveReader, Spool } from '@archiver/avro'
import {
  type BatchPolicy,
  type BatchSource,
  faultPoint,
  type Lease,
  type LogScoreChunk,
  type PlannedBatch,
  placeOf,
  type ReadableArchiver,
  type StoredRows,
  type StoreResult,
} from '@archiver/core'
import { Connection } from './connection.js'
import { heldObjects } from './held-objects.js'
import { requireLastingBucket } from './lifecycle.js'
import { objectNameOf } from './object-name.js'
import { Objects } from './objects.js'
import { defaultBatch, type GcsAvroOptions } from './options.js'
import { type Parcel, type ParcelFormat, packParcel } from './parcel.js'
import { publish } from './publish.js'
import { BucketShelf } from './shelf.js'
import type { ObjectHeaders } from './upload.js'

/** The object is spooled, partly sent, there. */
declare module '@archiver/core' {
  interface FaultPoints {
    'gcs.spooled': true
    'gcs.sending': true
    'gcs.uploaded': true
  }
}

/** Archives source tables as Avro objects in a bucket of Cloud Storage, one object a batch. */
export function createGcsAvroArchiver(options: GcsAvroOptions): ReadableArchiver {
  return new GcsAvroArchiver(options)
}

class GcsAvroArchiver implements ReadableArchiver {
  readonly name = 'gcsavro'
  encodedMs = 0
  readonly policy: BatchPolicy
  readonly reader: AvroArchiveReader
  readonly #connection: Connection
  readonly #objects: Objects
  readonly #spool: Spool
  readonly #format: ParcelFormat
  readonly #headers: ObjectHeaders
  readonly #resumableFromBytes: number
  readonly #acceptExpiry: boolean

  constructor(options: GcsAvroOptions) {
    const { contentType = 'avro/binary', cacheControl = 'public, max-age=157248000' } = options
    const { schema = 1, codec = 'null', rowsPerBlock = 50_000, resumableFromBytes = 8 * 2 ** 20 } = options
    this.policy = { ...defaultBatch, ...options.batch }
    this.#connection = new Connection(options)
    this.#objects = new Objects(this.#connection, options.defaultTable ?? 'log_scores')
    this.reader = new AvroArchiveReader(new BucketShelf(this.#objects))
    this.#spool = new Spool({ path: options.spoolPath, scope: `${options.scope ?? 'archiver'}.gcsavro` })
    this.#format = { schema, codec, rowsPerBlock, mostRows: this.policy.maxRows }
    this.#headers = { contentType, cacheControl }
    this.#resumableFromBytes = resumableFromBytes
    this.#acceptExpiry = options.acceptExpiry ?? false
  }

  async validate(): Promise<void> {
    await this.#connection.check()
    await this.#spool.check()
  }

  async prepare(table: string): Promise<void> {
    await this.validate()
    await this.#spool.sweep(table)
    const { signal } = new AbortController()
    await this.#objects.requireBucket(table, signal)
    if (!this.#acceptExpiry) await requireLastingBucket(this.#connection, this.#objects.prefix(table), signal)
  }

  async store(batch: PlannedBatch, chunks: AsyncIterable<LogScoreChunk>, lease: Lease): Promise<StoreResult> {
    lease.assertHeld()
    await using parcel = await packParcel(this.#spool, batch, chunks, lease, this.#format)
    if (parcel === undefined) return { rows: 0, bytes: 0, identity: '' }
    this.encodedMs += parcel.encodeMs
    await faultPoint('gcs.spooled')
    lease.assertHeld()
    const object = await this.#deliver(batch, parcel, lease)
    await faultPoint('gcs.uploaded')
    const result = { rows: parcel.rows, bytes: object.bytes, identity: object.name }
    const dropped = parcel.warningsDropped
    return dropped > 0 ? { ...result, conversions: { warningDropped: dropped } } : result
  }

  findStored(batch: PlannedBatch, source: BatchSource, lease: Lease): Promise<StoredRows> {
    return heldObjects(this.#objects, batch, source, lease)
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #deliver(batch: PlannedBatch, parcel: Parcel, lease: Lease) {
    return publish(this.#objects, batch, {
      connection: this.#connection,
      name: objectNameOf(this.#objects.prefix(batch.table), parcel.first),
      parcel,
      headers: this.#headers,
      resumable: parcel.bytes >= this.#resumableFromBytes,
      lease,
      place: placeOf(batch),
    })
  }
}
