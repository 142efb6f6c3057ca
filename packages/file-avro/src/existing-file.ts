import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type BatchFile,
  firstIdOf,
  isUnreadable,
  mayHoldRows,
  namesABatch,
  readAvroHeader,
  readLogScores,
} from '@archiver/avro'
import type { IdRange } from '@archiver/core'
import { errnoCode } from './fs-errors.js'

/** The metadata of a file; undefined where it is missing or has no readable header. */
export async function readMetadata(path: string): Promise<Readonly<Record<string, string>> | undefined> {
  try {
    return (await readAvroHeader(path)).metadata
  } catch (thrown) {
    if (isUnreadable(thrown) || errnoCode(thrown) === 'ENOENT') return undefined
    throw thrown
  }
}

/** No row of the file has a higher id, as its metadata says; undefined for a file that says nothing of its end. */
export function endOf(metadata: Readonly<Record<string, string>>): bigint | undefined {
  const upToId = metadata['archiver.up_to'] ?? ''
  return namesABatch(metadata) && /^\d+$/.test(upToId) ? BigInt(upToId) : undefined
}

/** The files of a folder that may hold rows of the range, in order of their first rows. */
export async function filesFor(folder: string, range: IdRange): Promise<BatchFile[]> {
  const files: BatchFile[] = []
  for (const name of await readdir(folder)) {
    const firstId = firstIdOf(name)
    if (firstId === undefined || firstId > range.upToId) continue
    const file = batchFile(join(folder, name), name, firstId)
    // Only one that begins before the range has to say whether it reaches into it.
    const metadata = firstId <= range.afterId ? await file.metadata() : undefined
    files.push(metadata === undefined ? file : { ...file, upToId: endOf(metadata) })
  }
  return mayHoldRows(files, range)
}

function batchFile(path: string, name: string, firstId: bigint): BatchFile {
  return {
    name,
    firstId,
    bytes: async () => (await stat(path)).size,
    metadata: () => readMetadata(path),
    rows: () => readLogScores(path),
  }
}
