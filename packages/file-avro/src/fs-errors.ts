import { ArchiverError, type ErrorDetails, type ErrorPlace, errorText } from '@archiver/core'

/** The code of an error of the operating system (`ENOENT`); undefined for any other. */
export function errnoCode(thrown: unknown): string | undefined {
  // Only read, and only as far as it is there.
  return thrown instanceof Error ? (thrown as NodeJS.ErrnoException).code : undefined
}

const fullCodes = new Set(['ENOSPC', 'EDQUOT'])

/** What went wrong while a file was written: the disk is full, or anything else. */
export function writeError(thrown: unknown, where: string, place: ErrorPlace): ArchiverError {
  const full = fullCodes.has(errnoCode(thrown) ?? '')
  const details: ErrorDetails = full
    ? { code: 'AVRO_PATH_FULL', hint: 'Free space or enlarge the disk; nothing half-written is left.', ...place }
    : { code: 'AVRO_WRITE_FAILED', hint: writeHint(errnoCode(thrown)), ...place }
  const what = full ? 'no room to write' : 'could not write'
  return new ArchiverError(`${where}: ${what}: ${errorText(thrown)}`, { ...details, cause: thrown })
}

function writeHint(errno: string | undefined): string {
  if (errno === 'EFBIG')
    return 'The file is larger than this account (ulimit -f) or the file system allows. Raise the limit, or make batches smaller (batch_avro_max_size); nothing half-written is left.'
  if (errno === 'EROFS')
    return 'The file system became read-only: see the log of the kernel. Nothing half-written is left.'
  return 'See the cause; nothing half-written is left.'
}

/** A file or folder of the archive that could not be read. */
export function readError(thrown: unknown, path: string): ArchiverError {
  if (thrown instanceof ArchiverError) return thrown
  const hint = 'See the cause; the folder and its files must be readable by this account.'
  return new ArchiverError(`${path} could not be read: ${errorText(thrown)}`, {
    code: 'AVRO_READ_FAILED',
    hint,
    cause: thrown,
  })
}
