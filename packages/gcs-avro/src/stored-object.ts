import { isOfBatch, metadataOf } from '@archiver/avro'
import { ArchiverError, type PlannedBatch, type RangeDigest } from '@archiver/core'
import { firstIdOfObject } from './object-name.js'

/** Custom metadata of an object. */
export type Metadata = Readonly<Record<string, string>>

/** An object, as a look at it or a listing tells. */
export interface StoredObject {
  readonly name: string
  readonly bytes: number
  /** Changes with every overwriting. */
  readonly generation: string
  /** Computed by Cloud Storage; base64. */
  readonly crc32c: string
  readonly metadata: Metadata
}

/** An object of an archive: its name says with which row it begins. */
export interface BatchObject extends StoredObject {
  readonly firstId: bigint
}

/** What the rows of an object amount to, so that nobody needs to read it. */
export interface Contents {
  readonly digest: RangeDigest
  readonly firstId: bigint
  readonly lastId: bigint
  /** Of the whole file; base64. */
  readonly crc32c: string
}

/** The custom metadata of the object of a batch. The first four are in the header of the file too. */
export function customMetadataOf(batch: PlannedBatch, { digest, firstId, lastId, crc32c }: Contents): Metadata {
  return {
    ...metadataOf(batch),
    'archiver.rows': String(digest.rows),
    'archiver.first_id': String(firstId),
    'archiver.last_id': String(lastId),
    'archiver.id_sum': String(digest.idSum),
    'archiver.hash_xor': String(digest.hashXor),
    'archiver.crc32c': crc32c,
  }
}

/** What the metadata says of the object's rows; undefined where it says nothing. */
export function digestIn(metadata: Metadata): RangeDigest | undefined {
  const [rows, idSum, hashXor] = ['rows', 'id_sum', 'hash_xor'].map((key) => numberIn(metadata, key))
  return rows === undefined || idSum === undefined || hashXor === undefined ? undefined : { rows, idSum, hashXor }
}

/** The highest id in the object, or a bound for it; undefined for an object of the Go program. */
export function endOf(metadata: Metadata): bigint | undefined {
  return numberIn(metadata, 'last_id') ?? numberIn(metadata, 'up_to')
}

function numberIn(metadata: Metadata, key: string): bigint | undefined {
  const text = metadata[`archiver.${key}`] ?? ''
  return /^\d+$/.test(text) ? BigInt(text) : undefined
}

/** Whether the bytes are those that were sent, as far as that was noted. */
export function isIntact({ crc32c, metadata }: StoredObject): boolean {
  return crc32c === (metadata['archiver.crc32c'] ?? crc32c)
}

export function isOwn(object: StoredObject, batch: PlannedBatch): boolean {
  return isOfBatch(object.metadata, batch)
}

/** @param answer - an object resource of the JSON API. */
export function storedObject(answer: unknown): StoredObject {
  if (typeof answer === 'object' && answer !== null) {
    // Fields of another type are not taken.
    const { name, size, generation, crc32c, metadata = {} } = answer as Readonly<Record<string, unknown>>
    if (typeof name === 'string' && typeof crc32c === 'string' && generation !== undefined && isMetadata(metadata)) {
      return { name, bytes: Number(size), generation: String(generation), crc32c, metadata }
    }
  }
  throw new ArchiverError('Cloud Storage answered with something that is no object', { code: 'GCS_REFUSED' })
}

function isMetadata(value: unknown): value is Metadata {
  return typeof value === 'object' && value !== null && Object.values(value).every((text) => typeof text === 'string')
}

/** The object as one of an archive; undefined where its name is not of the form. */
export function batchObject(object: StoredObject, folder: string): BatchObject | undefined {
  const firstId = firstIdOfObject(object.name, folder)
  return firstId === undefined ? undefined : { ...object, firstId }
}
