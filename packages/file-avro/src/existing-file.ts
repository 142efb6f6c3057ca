import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type BatchFile, firstIdOf, isUnreadable, mayHoldRows, readAvroHeader, readLogScores } from '@archiver/avro'
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

/** The files of a folder that may hold rows of the range, in order of their first rows. */
export async function filesFor(folder: string, range: IdRange): Promise<BatchFile[]> {
  const files = (await readdir(folder)).flatMap((name) => {
    const firstId = firstIdOf(name)
    return firstId === undefined ? [] : [batchFile(join(folder, name), name, firstId)]
  })
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
