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

/** Whether a file with this metadata is the work of an archiver that plans batches; the Go program wrote none. */
export function namesABatch(metadata: Readonly<Record<string, string>>): boolean {
  return metadata['archiver.batch'] !== undefined
}

export function isOfBatch(metadata: Readonly<Record<string, string>>, batch: PlannedBatch): boolean {
  return Object.entries(metadataOf(batch)).every(([key, value]) => metadata[key] === value)
}

/** The batch of a file, or of this archiver, for a message. */
export function describeBatch(metadata: Readonly<Record<string, string>>): string {
  const { 'archiver.table': table, 'archiver.batch': id, 'archiver.after': after, 'archiver.up_to': upTo } = metadata
  return `batch ${id} of ${table} (ids above ${after}, up to ${upTo})`
}
