import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const prefix = 'archiver-tests-'

/**
 * A folder for the temporary files of one run, named after this process; what runs left that were killed is removed.
 *
 * @param {string} [parent]
 * @returns {{ path: string, remove: () => void }}
 */
export function temporaryFolder(parent = tmpdir()) {
  for (const name of readdirSync(parent)) {
    const [, pid] = /^archiver-tests-(\d+)-/.exec(name) ?? []
    if (pid !== undefined && !lives(Number(pid))) removeQuietly(join(parent, name))
  }
  const path = mkdtempSync(join(parent, `${prefix}${process.pid}-`))
  return { path, remove: () => removeQuietly(path) }
}

/** What belongs to another user stays. */
function removeQuietly(path) {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 3 })
  } catch {}
}

function lives(pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}
