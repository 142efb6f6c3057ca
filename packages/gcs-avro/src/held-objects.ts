import { type BatchFile, heldRows, mayHoldRows } from '@archiver/avro'
import {
  type BatchSource,
  digestOf,
  equalDigests,
  type Lease,
  type LogScoreChunk,
  type PlannedBatch,
  type StoredRows,
} from '@archiver/core'
import type { Objects } from './objects.js'
import { type BatchObject, digestIn, endOf, isIntact, isOwn } from './stored-object.js'

/**
 * Which of a batch's rows the objects of its table hold. The batch's own object is believed what it says of its rows, where
 * the source says the same; everything else is read and compared, all columns.
 */
export async function heldObjects(
  objects: Objects,
  batch: PlannedBatch,
  source: BatchSource,
  lease: Lease,
): Promise<StoredRows> {
  const candidates = await candidatesFor(objects, batch, lease)
  const own = candidates.find((object) => isOwn(object, batch))
  if (own) {
    const digest = digestIn(own.metadata)
    if (digest && equalDigests(digest, await digestOf(guarded(source.read(), lease)))) {
      return { kind: 'all', result: { rows: Number(digest.rows), bytes: own.bytes, identity: own.name } }
    }
  }
  const files = candidates.map((object) => batchFile(objects, object, lease.signal))
  return heldRows({ archive: objects.connection.name, files, batch, source, lease })
}

async function candidatesFor(objects: Objects, batch: PlannedBatch, lease: Lease): Promise<BatchObject[]> {
  const found: BatchObject[] = []
  for await (const object of objects.list(batch.table, lease.signal)) {
    if (object.firstId > batch.upToId) continue
    // A try of this batch whose bytes did not arrive as they were sent is replaced by the next.
    if (isOwn(object, batch) && !isIntact(object)) continue
    const end = endOf(object.metadata)
    if (end === undefined || end > batch.afterId) found.push(object)
  }
  return mayHoldRows(found, batch)
}

function batchFile(objects: Objects, object: BatchObject, signal: AbortSignal): BatchFile {
  return {
    name: object.name,
    firstId: object.firstId,
    bytes: async () => object.bytes,
    metadata: () => objects.metadata(object, signal),
    rows: () => objects.rows(object, signal),
  }
}

async function* guarded(chunks: AsyncIterable<LogScoreChunk>, lease: Lease): AsyncGenerator<LogScoreChunk> {
  for await (const chunk of chunks) {
    lease.assertHeld()
    yield chunk
  }
}
