import { hostname } from 'node:os'
import type { ArchiverError } from '@archiver/core'
import type { Kysely } from 'kysely'
import type { Connection } from 'mysql2'
import { MySqlLedger } from './ledger.js'
import { statementError } from './mysql-errors.js'
import { type ControlTables, controlQueries, controlTableNames } from './tables.js'

/**
 * Whose planned batch holds the cleaner up. No archiver has this name, so it is never finished by a pass: the cleaner
 * deletes nothing until it is lifted. A cleaner that knows of no holds still takes it for a batch that begins at 0.
 */
export const HOLD = 'restore'

/** Keeps the cleaner of a table from deleting, across restarts of everything, until it is lifted. */
export class CleanupHold {
  private readonly connection: Connection
  private readonly db: Kysely<ControlTables>
  private readonly table: string
  private readonly batch: 'batch'

  constructor(connection: Connection, table: string) {
    this.connection = connection
    this.db = controlQueries(connection)
    this.table = table
    this.batch = controlTableNames(table).batch
  }

  /** @param why - shown wherever the cleaner says why it deletes nothing. @returns false where there is a hold already. */
  async place(why: string): Promise<boolean> {
    await new MySqlLedger(this.connection, this.table).prepare()
    const range = { after_id: 0n, first_id: 0n, up_to_id: 0n }
    try {
      const values = { archiver: HOLD, state: 'planned', ...range, identity: why, host: hostname() } as const
      await this.db.insertInto(this.batch).values(values).execute()
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ER_DUP_ENTRY') return false
      throw this.explain(error, 'holding the cleaner up')
    }
  }

  /** @returns false where there was none. */
  async lift(): Promise<boolean> {
    try {
      const { numDeletedRows } = await this.db
        .deleteFrom(this.batch)
        .where('archiver', '=', HOLD)
        .where('state', '=', 'planned')
        .executeTakeFirstOrThrow()
      return numDeletedRows > 0n
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ER_NO_SUCH_TABLE') return false
      throw this.explain(error, 'letting the cleaner go on')
    }
  }

  private explain(error: unknown, doing: string): ArchiverError {
    return statementError(error, doing, { archiver: 'cleanup', table: this.table })
  }
}
