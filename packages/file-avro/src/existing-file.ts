import { readAvroHeader } from '@archiver/avro'
import { ArchiverError } from '@archiver/core'
import { errnoCode } from './fs-errors.js'

const unreadableCodes = new Set(['AVRO_NOT_A_FILE', 'AVRO_TRUNCATED', 'AVRO_DAMAGED'])

/** Whether the error says that a file is no whole Avro file (and not, for instance, that it may not be read). */
export function isUnreadable(thrown: unknown): boolean {
  return thrown instanceof ArchiverError && unreadableCodes.has(thrown.code)
}

/** The metadata of a file; undefined where it is missing or has no readable header. */
export async function readMetadata(path: string): Promise<Readonly<Record<string, string>> | undefined> {
  try {
    return (await readAvroHeader(path)).metadata
  } catch (thrown) {
    if (isUnreadable(thrown) || errnoCode(thrown) === 'ENOENT') return undefined
    throw thrown
  }
}
