import { ArchiverError } from '@archiver/core'
import { type Kysely, sql } from 'kysely'
import type { ControlTables } from './tables.js'

/** @throws ArchiverError (MYSQL_READ_ONLY) where the server takes no writes, as a replica does. */
export async function refuseReadOnly(db: Kysely<ControlTables>, table: string): Promise<void> {
  const { rows } = await sql<{ read_only: unknown }>`select @@global.read_only as read_only`.execute(db)
  // 0 or 1; newer MariaDB servers also say OFF, and more than one kind of ON.
  if (['0', 'OFF'].includes(String(rows[0]?.read_only).toUpperCase())) return
  throw new ArchiverError('this MySQL server is read-only', {
    code: 'MYSQL_READ_ONLY',
    table,
    hint: 'Point db_host at the primary; or, with an account that may write all the same, set db_reject_readonly=false.',
  })
}
