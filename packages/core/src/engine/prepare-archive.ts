import type { Archiver } from '../contract/archiver.js'
import { ArchiverError, inOperation } from '../contract/errors.js'
import type { Ledger } from '../contract/ledger.js'

interface Preparing {
  readonly archiver: Archiver
  readonly table: string
  readonly ledger: Ledger
}

/**
 * Makes the archive ready, unless that would create again what has held rows: a table that was dropped by mistake would
 * otherwise come back empty, and nobody would learn that its history is gone.
 *
 * @param mark - 0 for none: then everything is stored again, and the archive may be created.
 * @throws ArchiverError (ARCHIVE_MISSING)
 */
export function prepareArchive({ archiver, table, ledger }: Preparing, mark: bigint): Promise<void> {
  return inOperation({ operation: 'prepare', archiver: archiver.name, table }, async () => {
    const heldRows = mark > 0n && (await ledger.highPoint(archiver.name)) > 0n
    const missing = heldRows ? ((await archiver.pendingDdl?.(table)) ?? []) : []
    if (missing.length > 0) throw archiveMissing(archiver.name, table, mark)
    await archiver.prepare(table)
  })
}

function archiveMissing(name: string, table: string, mark: bigint): ArchiverError {
  return new ArchiverError(
    `${name} has stored rows up to id ${mark}, but the table ${table} of the archive does not exist`,
    {
      code: 'ARCHIVE_MISSING',
      hint: `Restore the table. To store again what the source still has: archiver mark ${name} --set none. To go on without its history, create it empty: archiver init.`,
    },
  )
}
