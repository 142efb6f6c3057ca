import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { ArchiverError, errorText } from '@archiver/core'
import { openArchiver, type Wiring } from '../archivers.js'
import { ExitCode } from '../exit-codes.js'
import { printLine } from '../standard-streams.js'
import { withLock } from './with-lock.js'

export interface SkipJob extends Wiring {
  readonly archiver: string
  readonly rowId: bigint
  readonly reason: string
}

/** Takes one row out for one archiver, after writing it in full to the quarantine file. @returns the exit code. */
export async function skipRow({ archiver, rowId, reason, ...wiring }: SkipJob): Promise<number> {
  const { settings, table } = wiring
  return withLock(wiring, archiver, async ({ operator, status, lease }) => {
    const place = { archiver, table }
    const rowJson = await operator.rowJson(rowId)
    if (rowJson === null) throw new ArchiverError(`there is no row ${rowId}`, { code: 'SKIP_NO_ROW', ...place })
    if (rowId <= (status.mark ?? 0n) && (await isStored(archiver, rowId, wiring))) {
      const why = `row ${rowId} is not ahead of the mark ${status.mark}: it is in the archive`
      const hint = 'Only a row that the archive does not hold can be skipped.'
      throw new ArchiverError(why, { code: 'SKIP_STORED', ...place, hint })
    }
    const by = await operator.who()
    const file = join(settings.quarantinePath, `${table}-skipped.ndjson`)
    await appendDurably(file, {
      archiver,
      id: rowId.toString(),
      reason,
      by,
      on: new Date().toISOString(),
      row: rowJson,
    })
    lease.assertHeld()
    await operator.skip({ archiver, rowId, reason, rowJson, by })
    printLine(`${archiver}: row ${rowId} is skipped; it is kept in ${file} and in ${table}_archive_skip`)
    return ExitCode.ok
  })
}

/** Whether the archive holds a row behind the mark. One that committed late may be missing there. */
async function isStored(name: string, rowId: bigint, wiring: Wiring): Promise<boolean> {
  const opened = await openArchiver(name, { ...wiring, readOnly: true })
  if ('notHere' in opened) return true
  await using archiver = opened
  if (archiver.reader === 'none') return true
  const { signal } = new AbortController()
  for await (const _ of archiver.reader.read(wiring.table, { afterId: rowId - 1n, upToId: rowId }, signal)) return true
  return false
}

/** The line is on the disk before the row is taken out. */
async function appendDurably(path: string, { row, ...facts }: Readonly<Record<string, string>>): Promise<void> {
  try {
    await using file = await open(path, 'a')
    await file.write(`${JSON.stringify({ ...facts, row: JSON.parse(row ?? 'null') as unknown })}\n`)
    await file.sync()
  } catch (error) {
    throw new ArchiverError(`the quarantine file ${path} cannot be written: ${errorText(error)}`, {
      code: 'SKIP_FILE',
      hint: 'Set quarantine_path to a folder that can be written; nothing was skipped.',
      cause: error,
    })
  }
}
