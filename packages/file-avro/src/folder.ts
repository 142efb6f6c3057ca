import { type FileHandle, mkdir, open, rm, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { temporaryName } from '@archiver/avro'
import { ArchiverError, type ErrorPlace, errorText, megabytes } from '@archiver/core'
import { errnoCode } from './fs-errors.js'

/** The folder of the files, and what its errors call it. */
export interface Folder {
  readonly path: string
  readonly pathName: string
}

/** What file systems answer that cannot write a folder's names to disk on request (CIFS, some of FUSE). */
const noFolderSync = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/** The part of a file handle that is needed to write it to disk. */
export type OpenFolder = (path: string, flags: 'r') => Promise<Pick<FileHandle, 'sync' | 'close'>>

/**
 * Makes names in the folder durable.
 *
 * @returns a warning where the file system cannot do that: it decides when a new name survives a power cut.
 */
export async function syncFolder(path: string, openFolder: OpenFolder = open): Promise<ArchiverError | undefined> {
  try {
    const handle = await openFolder(path, 'r')
    await handle.sync().finally(() => handle.close())
    return undefined
  } catch (thrown) {
    if (noFolderSync.has(errnoCode(thrown) ?? '')) return notSynced(path, thrown)
    throw thrown
  }
}

function notSynced(path: string, thrown: unknown): ArchiverError {
  return new ArchiverError(`the file system of ${path} cannot sync a folder (${errnoCode(thrown)})`, {
    code: 'AVRO_PATH_NOT_SYNCED',
    archiver: 'fileavro',
    hint: 'Files are written to disk, but their names may be lost in a power cut; use a local file system where that matters.',
    cause: thrown,
  })
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
    case 'EROFS':
      return [
        'AVRO_PATH_UNWRITABLE',
        'is on a file system that is mounted read-only',
        'Mount it writable (in Kubernetes: readOnly of the volume mount), or name another folder.',
      ]
    default:
      return [
        'AVRO_PATH_UNWRITABLE',
        'cannot be written to',
        'Give the user of this process the right to create files.',
      ]
  }
}
