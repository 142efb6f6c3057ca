import { describeBatch, firstDifference, isUnreadable, metadataOf, namesABatch, readLogScores } from '@archiver/avro'
import { ArchiverError, equalDigests, type PlannedBatch } from '@archiver/core'
import type { Objects } from './objects.js'
import { checksumError } from './storage-errors.js'
import { digestIn, isIntact, isOwn, type StoredObject } from './stored-object.js'
import { type Delivery, type Generation, upload } from './upload.js'

/** What is under the name changes hands no more often than this before it is given up. */
const rounds = 4

/**
 * Sees to it that an object with these rows is under the name, and returns it. What an earlier try of the same batch has
 * left is such an object. One of another batch is never overwritten.
 */
export async function publish(objects: Objects, batch: PlannedBatch, delivery: Delivery): Promise<StoredObject> {
  let generation: Generation = '0'
  for (let round = 0; round < rounds; round++) {
    const there = (await upload(delivery, generation)) ?? (await objects.look(delivery.name, delivery.lease.signal))
    if (there === undefined) {
      generation = '0'
    } else {
      const replaceable = await verdict(objects, batch, delivery, there)
      if (!replaceable) return there
      generation = there.generation
    }
  }
  throw checksumError(`${objects.connection.name}/${delivery.name} does not stay as it was sent`)
}

/** False: these rows are there. True: what is there is of no use, and ours to replace. Throws where it is somebody else's. */
async function verdict(objects: Objects, batch: PlannedBatch, delivery: Delivery, there: StoredObject) {
  const { metadata } = there
  if (isOwn(there, batch)) {
    if (!isIntact(there)) return true
    const digest = digestIn(metadata)
    if (digest && equalDigests(digest, delivery.parcel.digest)) return false
    throw taken(objects, batch, there, `holds other rows of this very batch (${metadata['archiver.rows']})`)
  }
  if (namesABatch(metadata)) throw taken(objects, batch, there, `holds ${describeBatch(metadata)}`)
  return differs(objects, batch, delivery, there)
}

/** An object that says nothing of itself is compared row by row: the Go program's. */
async function differs(objects: Objects, batch: PlannedBatch, { parcel, lease }: Delivery, there: StoredObject) {
  try {
    const difference = await firstDifference(readLogScores(parcel.path), objects.rows(there, lease.signal))
    if (difference === undefined) return false
    throw taken(objects, batch, there, `is without the name of a batch, and ${difference}`)
  } catch (thrown) {
    if (isUnreadable(thrown)) return true
    throw thrown
  }
}

function taken(objects: Objects, batch: PlannedBatch, there: StoredObject, what: string): ArchiverError {
  return new ArchiverError(
    `${objects.nameOf(there)} is there already and ${what}; it would be the object of ${describeBatch(metadataOf(batch))}`,
    {
      code: 'GCS_OBJECT_TAKEN',
      hint: 'It was left alone. Set the mark to the last row it holds, or move it away if its rows are in no archive to be kept.',
      archiver: batch.archiver,
      table: batch.table,
      afterId: batch.afterId,
      upToId: batch.upToId,
    },
  )
}
