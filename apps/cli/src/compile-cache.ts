import { lstatSync, mkdirSync, realpathSync, type Stats } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { isSea } from 'node:sea'

/** Node runs what it finds in this folder: only the account of this process may write there. */
const PRIVATE_MODE = 0o700
const GROUP_AND_OTHERS = 0o077
const WRITABLE_BY_OTHERS = 0o022
const STICKY = 0o1000

/**
 * Keeps compiled code from run to run, which saves a third of the start-up time. The code goes beside the bundle, or else
 * into the user's cache folder. Without a folder that only this account can write, nothing is kept: Node's own default is
 * the folder for temporary files, where another account could leave code for this one to run.
 *
 * @param bundlePath - the file that Node runs.
 * @returns the folder; undefined without a cache.
 */
export function enablePrivateCompileCache(bundlePath: string, env = process.env): string | undefined {
  // Node enables a folder that the operator names before this code runs.
  if (env.NODE_COMPILE_CACHE) return env.NODE_COMPILE_CACHE
  // The executable for Linux is one script, which Node compiles without this cache.
  if (isSea()) return undefined
  const folder =
    privateFolder(join(dirname(bundlePath), '..', '.cache')) ?? privateFolder(join(userCache(env), 'archiver'))
  if (folder !== undefined) enableCompileCache(folder)
  return folder
}

function userCache({ XDG_CACHE_HOME: named }: NodeJS.ProcessEnv): string {
  return named?.startsWith('/') ? named : join(homedir(), '.cache')
}

/** The folder, made where it is missing. Undefined unless it is private to this account. Never throws. */
export function privateFolder(path: string): string | undefined {
  try {
    makeFolder(path)
    return isPrivate(path) ? realpathSync(path) : undefined
  } catch {
    return undefined
  }
}

/** Makes the folder and, at most, the one above. Not with `recursive`: for a path below /proc that does not return. */
function makeFolder(path: string): void {
  for (const folder of [dirname(path), path]) {
    try {
      mkdirSync(folder, { mode: PRIVATE_MODE })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error // fs throws nothing else
    }
  }
}

/** A folder of this account's, not a link to one, that nobody else can write, rename or replace. */
function isPrivate(path: string): boolean {
  const found = lstatSync(path)
  const userId = process.getuid?.()
  if (!found.isDirectory() || found.uid !== userId || (found.mode & GROUP_AND_OTHERS) !== 0) return false
  return foldersAbove(realpathSync(path)).every((folder) => isSafeParent(lstatSync(folder), userId))
}

/** In a folder with the sticky bit only the owner may rename or remove an entry. */
function isSafeParent({ uid, mode }: Stats, userId: number): boolean {
  const isTrusted = uid === 0 || uid === userId
  return isTrusted && ((mode & WRITABLE_BY_OTHERS) === 0 || (mode & STICKY) !== 0)
}

function foldersAbove(path: string): string[] {
  const parent = dirname(path)
  return parent === path ? [] : [parent, ...foldersAbove(parent)]
}
