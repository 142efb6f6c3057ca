import type { Written } from '@archiver/avro'
import type { StoreResult } from '@archiver/core'

/** What is reported of a file that a job has loaded. */
export function resultOf({ rows, bytes, warningsDropped }: Written, identity: string): StoreResult {
  const result = { rows, bytes, identity }
  return warningsDropped > 0 ? { ...result, conversions: { warningDropped: warningsDropped } } : result
}
