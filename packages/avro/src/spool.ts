import { stat, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  ArchiverError,
  type ErrorPlace,
  errorText,
  type Lease,
  type LogScoreChunk,
  megabytes,
  type PlannedBatch,
  placeOf,
} from '@archiver/core'
import { metadataOf, syncMarkerOf } from './batch-metadata.js'
import type { SchemaVersion } from './schema.js'
import { sweepTemporary, TemporaryFile, temporaryName } from './temporary-file.js'
import { type WriteOptions, type Written, writeLogScores } from './writer.js'

/** An ordinary row has about 34 bytes, in version 2 about 61; with an error text some more. */
export const bytesPerRow: Readonly<Record<SchemaVersion, number>> = { 1: 40, 2: 70 }

export interface SpoolOptions {
  /** Exists and can be written to. Default: the system's folder for temporary files. */
  readonly path?: string | undefined
  /**
   * Part of the files' names: {@link Spool.sweep} removes those of its own scope and table only. Archivers that share the
   * folder must have different ones. The name of the lock and the archiver's make one.
   */
  readonly scope: string
}

/** A whole Avro file of a batch, to be sent elsewhere as often as it takes. Removed at the end. */
export interface SpooledFile extends AsyncDisposable, Written {
  readonly path: string
}

/**
 * Files on their way to an archive elsewhere: an upload that must be repeated needs the bytes again, and the source
 * should not wait for the network. They are worth nothing after a crash: {@link sweep} removes them.
 */
export class Spool {
  readonly path: string
  readonly #scope: string

  constructor({ path = tmpdir(), scope }: SpoolOptions) {
    this.path = path
    this.#scope = scope
  }

  /** @throws ArchiverError `SPOOL_PATH` where the folder is none. */
  async check(): Promise<void> {
    const found = await stat(this.path).catch((thrown: unknown) => errorText(thrown))
    if (typeof found !== 'string' && found.isDirectory()) return
    throw spoolError('SPOOL_PATH', `${this.path} is no folder (${typeof found === 'string' ? found : 'ENOTDIR'})`)
  }

  /** Removes what interrupted tries left behind. */
  async sweep(table: string): Promise<void> {
    await this.check()
    await sweepTemporary(this.path, this.#scope, table)
  }

  /**
   * Writes the rows as the Avro file of the batch. A batch without rows gives a file without rows.
   *
   * @param mostRows - no more can come; the disk must have room for them.
   * @param afterBlock - called with each piece, of some megabytes, that is in the file.
   * @throws RowError; ArchiverError `SPOOL_FULL`, `SPOOL_FAILED`. No file is left then.
   */
  async write(
    batch: PlannedBatch,
    chunks: AsyncIterable<LogScoreChunk>,
    lease: Lease,
    { mostRows, afterBlock, ...format }: SpoolFormat,
  ): Promise<SpooledFile> {
    const place = placeOf(batch)
    const rows = Math.min(Number(batch.upToId - batch.firstId) + 1, mostRows)
    await this.#requireSpace(rows * bytesPerRow[format.schema ?? 1], place)
    const path = join(this.path, temporaryName(this.#scope, batch.table, batch.id))
    const file = await this.#named(place, () => TemporaryFile.create(path, 0o600))
    try {
      const write = async (bytes: Uint8Array): Promise<void> => {
        lease.assertHeld()
        await this.#named(place, () => file.write(bytes))
        await afterBlock?.(bytes)
      }
      const written = await writeLogScores(chunks, write, {
        ...format,
        metadata: metadataOf(batch),
        sync: syncMarkerOf(batch),
      })
      await this.#named(place, () => file.close())
      return { ...written, path, [Symbol.asyncDispose]: () => file[Symbol.asyncDispose]() }
    } catch (thrown) {
      await file[Symbol.asyncDispose]()
      throw thrown
    }
  }

  async #requireSpace(neededBytes: number, place: ErrorPlace): Promise<void> {
    const { bavail, blocks, bsize } = await this.#named(place, () => statfs(this.path))
    const availableBytes = bavail * bsize
    // A file system that does not know its size passes.
    if (blocks === 0 || availableBytes >= neededBytes) return
    const message = `the disk of ${this.path} has ${megabytes(availableBytes)} free, a batch this large may need ${megabytes(neededBytes)}`
    throw spoolError('SPOOL_FULL', message, place)
  }

  async #named<T>(place: ErrorPlace, step: () => Promise<T>): Promise<T> {
    try {
      return await step()
    } catch (thrown) {
      // Only read, and only as far as it is there.
      const errno = thrown instanceof Error ? (thrown as NodeJS.ErrnoException).code : undefined
      const full = errno === 'ENOSPC' || errno === 'EDQUOT'
      const hint = errnoHints[errno ?? '']
      throw spoolError(full ? 'SPOOL_FULL' : 'SPOOL_FAILED', `${this.path}: ${errorText(thrown)}`, place, hint)
    }
  }
}

export interface SpoolFormat extends Pick<WriteOptions, 'schema' | 'codec' | 'rowsPerBlock'> {
  readonly mostRows: number
  readonly afterBlock?: (bytes: Uint8Array) => void | Promise<void>
}

const hints = {
  SPOOL_PATH: 'Create the folder, or name another one (spool_path).',
  SPOOL_FULL: 'Free space, name a folder with more (spool_path), or make batches smaller.',
  SPOOL_FAILED: 'Give this user the right to create files there, or name another folder (spool_path).',
} as const

const errnoHints: Readonly<Record<string, string>> = {
  EFBIG:
    'The file is larger than this account (ulimit -f) or the file system allows. Raise the limit, or make batches smaller.',
  EROFS: 'The file system is mounted read-only. Mount it writable, or name another folder (spool_path).',
}

function spoolError(
  code: keyof typeof hints,
  message: string,
  place: ErrorPlace = {},
  hint: string = hints[code],
): ArchiverError {
  return new ArchiverError(`spool_path: ${message}`, { code, hint, ...place })
}
