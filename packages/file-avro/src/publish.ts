import { link, rename, stat } from 'node:fs/promises'
import {
  describeBatch,
  firstDifference,
  isOfBatch,
  isUnreadable,
  metadataOf,
  namesABatch,
  readLogScores,
} from '@archiver/avro'
import { ArchiverError, type PlannedBatch } from '@archiver/core'
import { readMetadata } from './existing-file.js'
import { errnoCode } from './fs-errors.js'

/** File systems without hard links say one of these (FAT, many network and FUSE ones). */
const noLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV'])

/**
 * Gives a finished temporary file its name, and returns the size of the file that then has it.
 *
 * A hard link, not a rename: it fails where the name is taken, whoever took it meanwhile, so that nobody's file is ever
 * replaced unseen. Where there are no hard links, the name is looked up and the file renamed.
 */
export async function publish(
  temporaryPath: string,
  path: string,
  batch: PlannedBatch,
  linkFile: typeof link = link,
): Promise<number> {
  if (await tryLink(temporaryPath, path, linkFile)) return (await stat(path)).size
  if (await mayReplace(temporaryPath, path, batch)) await rename(temporaryPath, path)
  return (await stat(path)).size
}

async function tryLink(temporaryPath: string, path: string, linkFile: typeof link): Promise<boolean> {
  try {
    await linkFile(temporaryPath, path)
    return true
  } catch (thrown) {
    const code = errnoCode(thrown) ?? ''
    if (code === 'EEXIST' || noLinks.has(code)) return false
    throw thrown
  }
}

/** True: rename. False: what is there holds these very rows. Throws where it is somebody else's. */
async function mayReplace(temporaryPath: string, path: string, batch: PlannedBatch): Promise<boolean> {
  const metadata = await readMetadata(path)
  if (metadata === undefined || isOfBatch(metadata, batch)) return true
  if (namesABatch(metadata)) throw taken(path, batch, `holds ${describeBatch(metadata)}`)
  try {
    const difference = await firstDifference(readLogScores(temporaryPath), readLogScores(path))
    if (difference === undefined) return false
    throw taken(path, batch, `is without the name of a batch, and ${difference}`)
  } catch (thrown) {
    if (isUnreadable(thrown)) return true
    throw thrown
  }
}

function taken(path: string, batch: PlannedBatch, what: string): ArchiverError {
  return new ArchiverError(
    `${path} is there already and ${what}; it would be the file of ${describeBatch(metadataOf(batch))}`,
    {
      code: 'AVRO_FILE_TAKEN',
      hint: 'It was left alone. Set the mark to the last row it holds, or move it away if its rows are in no archive to be kept.',
      archiver: batch.archiver,
      table: batch.table,
      afterId: batch.afterId,
      upToId: batch.upToId,
    },
  )
}
