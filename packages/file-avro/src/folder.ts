import { mkdir, open, rm, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { temporaryName } from '@archiver/avro'
import { ArchiverError, type ErrorPlace, errorText } from '@archiver/core'
import { errnoCode } from './fs-errors.js'

/** The folder of the files, and what its errors call it. */
export interface Folder {
  readonly path: string
  readonly pathName: string
}

/** Makes names in the folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Sees to it that the folder is there. */
export async function requireFolder(folder: Folder, create: boolean): Promise<void> {
  try {
    if (create) await createFolder(folder.path)
    if ((await stat(folder.path)).isDirectory()) return
  } catch (thrown) {
    throw folderError(folder, thrown)
  }
  throw folderError(folder, Object.assign(new Error('it is not a folder'), { code: 'ENOTDIR' }))
}

async function createFolder(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (thrown) {
    if (errnoCode(thrown) === 'EEXIST') return
    throw thrown
  }
  await syncFolder(dirname(path))
}

/** Sees to it that files can be created, by creating one: permission bits do not tell (root, read-only mounts). */
export async function requireWritable(folder: Folder, scope: string, table: string): Promise<void> {
  const probe = join(folder.path, temporaryName(scope, table, 0n))
  try {
    await (await open(probe, 'wx')).close()
    await rm(probe)
  } catch (thrown) {
    throw folderError(folder, thrown)
  }
}

/** Throws unless the disk has room for `neededBytes`. A file system that does not know its size passes. */
export async function requireSpace({ path, pathName }: Folder, neededBytes: number, place: ErrorPlace): Promise<void> {
  const { bavail, blocks, bsize } = await statfs(path)
  const availableBytes = bavail * bsize
  if (blocks === 0 || availableBytes >= neededBytes) return
  throw new ArchiverError(
    `${pathName}: the disk of ${path} has ${megabytes(availableBytes)} free, a batch this large may need ${megabytes(neededBytes)}`,
    { code: 'AVRO_PATH_FULL', hint: 'Free space, or make batches smaller (batch_avro_max_size).', ...place },
  )
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

function folderError({ path, pathName }: Folder, thrown: unknown): ArchiverError {
  const [code, what, hint] = folderProblem(errnoCode(thrown))
  return new ArchiverError(`${pathName}: ${path} ${what} (${errorText(thrown)})`, { code, hint, cause: thrown })
}

function folderProblem(errno: string | undefined): readonly [code: string, what: string, hint: string] {
  switch (errno) {
    case 'ENOENT':
      return ['AVRO_PATH_MISSING', 'does not exist', 'Create the folder, or correct the path.']
    case 'ENOTDIR':
      return ['AVRO_PATH_NOT_FOLDER', 'is not a folder', 'Name a folder.']
    case 'ENOSPC':
    case 'EDQUOT':
      return ['AVRO_PATH_FULL', 'has no room for one more file', 'Free space or enlarge the disk.']
    default:
      return [
        'AVRO_PATH_UNWRITABLE',
        'cannot be written to',
        'Give the user of this process the right to create files.',
      ]
  }
}
