import type { Codec, SchemaVersion, Spool, SpooledFile } from '@archiver/avro'
import { Digest, type Lease, type LogScoreChunk, type PlannedBatch } from '@archiver/core'
import { Crc32c } from './crc32c.js'
import { type Contents, customMetadataOf, type Metadata } from './stored-object.js'

/** A batch as a local file, with all that its object is to say of it. */
export interface Parcel extends AsyncDisposable, Contents {
  readonly path: string
  readonly bytes: number
  readonly rows: number
  readonly warningsDropped: number
  readonly encodeMs: number
  readonly first: { readonly id: bigint; readonly tsSeconds: number }
  readonly metadata: Metadata
}

export interface ParcelFormat {
  readonly schema: SchemaVersion
  readonly codec: Codec
  readonly rowsPerBlock: number
  readonly mostRows: number
}

/** Writes the rows to the spool, and sums them up on the way. Undefined where there is none. */
export async function packParcel(
  spool: Spool,
  batch: PlannedBatch,
  chunks: AsyncIterable<LogScoreChunk>,
  lease: Lease,
  format: ParcelFormat,
): Promise<Parcel | undefined> {
  const sum = new Crc32c()
  const rows = new Summary(chunks)
  const file = await spool.write(batch, rows, lease, { ...format, afterBlock: (bytes) => void sum.update(bytes) })
  if (file.first) return parcelOf(batch, { ...file, first: file.first }, rows, sum.base64)
  await file[Symbol.asyncDispose]()
  return undefined
}

function parcelOf(
  batch: PlannedBatch,
  file: SpooledFile & Pick<Parcel, 'first'>,
  { lastId, digest }: Summary,
  crc32c: string,
): Parcel {
  const contents = { digest: digest.value, firstId: file.first.id, lastId, crc32c }
  return { ...file, ...contents, metadata: customMetadataOf(batch, contents) }
}

/** Hands chunks on and notes what they amount to. */
class Summary implements AsyncIterable<LogScoreChunk> {
  readonly digest = new Digest()
  lastId = 0n
  readonly #chunks: AsyncIterable<LogScoreChunk>

  constructor(chunks: AsyncIterable<LogScoreChunk>) {
    this.#chunks = chunks
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<LogScoreChunk> {
    for await (const chunk of this.#chunks) {
      this.digest.add(chunk)
      this.lastId = chunk.id[chunk.rows - 1]!
      yield chunk
    }
  }
}
