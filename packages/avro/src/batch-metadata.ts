import { createHash } from 'node:crypto'
import type { PlannedBatch } from '@archiver/core'

/** What a file's header says about the batch it holds, by Avro metadata key. */
export function metadataOf({ table, id, afterId, upToId }: PlannedBatch): Record<string, string> {
  return {
    'archiver.table': table,
    'archiver.batch': String(id),
    'archiver.after': String(afterId),
    'archiver.up_to': String(upToId),
  }
}

/** The sync marker of a batch's file: the same for the same batch, so that its bytes are the same too. */
export function syncMarkerOf(batch: PlannedBatch): Uint8Array {
  return createHash('sha256')
    .update(JSON.stringify(metadataOf(batch)))
    .digest()
    .subarray(0, 16)
}
