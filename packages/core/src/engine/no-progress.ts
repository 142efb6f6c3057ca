import { type PlannedBatch, placeOf } from '../contract/batch.js'
import { ArchiverError } from '../contract/errors.js'

/** A loop of the engine would go round without getting anywhere. */
export function noProgress(batch: PlannedBatch, why: string): ArchiverError {
  return new ArchiverError(`batch ${batch.id} makes no progress: ${why}`, {
    code: 'NO_PROGRESS',
    ...placeOf(batch),
    hint: 'This is a defect of the archiver, or the rows change while they are read; report it with the lines before.',
  })
}
