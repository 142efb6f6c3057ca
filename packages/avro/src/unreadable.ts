import { ArchiverError } from '@archiver/core'

const unreadableCodes = new Set(['AVRO_NOT_A_FILE', 'AVRO_TRUNCATED', 'AVRO_DAMAGED'])

/** Whether the error says that a file is no whole Avro file (and not, for instance, that it may not be read). */
export function isUnreadable(thrown: unknown): boolean {
  return thrown instanceof ArchiverError && unreadableCodes.has(thrown.code)
}
