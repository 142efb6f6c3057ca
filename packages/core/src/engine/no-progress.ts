import { ArchiverError } from '../contract/errors.js'
import type { PlannedBatch } from '../contract/types.js'
import type { ArchiverRun } from './store-batch.js'

/** A loop of the engine would go round without getting anywhere. */
export function noProgress({ archiver, table }: ArchiverRun, batch: PlannedBatch, why: string): ArchiverError {
  const { id, afterId, upToId } = batch
  return new ArchiverError(`batch ${id} makes no progress: ${why}`, {
    code: 'NO_PROGRESS',
    ...{ archiver: archiver.name, table, afterId, upToId },
    hint: 'This is a defect of the archiver, or the rows change while they are read; report it with the lines before.',
  })
}
