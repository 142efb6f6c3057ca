import { ArchiverError, aboveMark, DAY_SECONDS, type RestoreStanding } from '@archiver/core'
import type { Connection } from 'mysql2'
import { HOLD } from '../cleanup-hold.js'
import { isMissingTable } from '../mysql-errors.js'
import { controlTableNames, quoteName } from '../tables.js'
import { askRows } from './statements.js'

/** What rows amount to, as far as it matters here. */
export interface RowBounds {
  readonly firstId: bigint
  readonly lastId: bigint
  readonly minTsSeconds: number
}

/** Keeps rows from coming back where an archiver would store them again, or the cleaner delete them at once. */
export class Guard {
  private readonly connection: Connection
  private readonly table: string
  private readonly retentionDays: number
  private readonly lock: string

  private constructor(connection: Connection, table: string, retentionDays: number, lock: string) {
    this.connection = connection
    this.table = table
    this.retentionDays = retentionDays
    this.lock = lock
  }

  /** Undefined for a table that nobody archives: it has no status table. */
  static async of(connection: Connection, table: string, retentionDays: number): Promise<Guard | undefined> {
    const { status } = controlTableNames(table)
    try {
      const [row] = await askRows(connection, `select version(), (select count(*) from ${quoteName(status)})`)
      const lock = /mariadb/i.test(String(row?.[0])) ? 'lock in share mode' : 'for share'
      return new Guard(connection, table, retentionDays, lock)
    } catch (error) {
      if (isMissingTable(error)) return undefined
      throw error
    }
  }

  look(): Promise<RestoreStanding> {
    return this.ask('')
  }

  /**
   * Called within the transaction that has written the rows: until it ends no mark is moved and no hold lifted.
   *
   * @throws ArchiverError (RESTORE_ABOVE_MARK, RESTORE_PAST_RETENTION)
   */
  async require({ firstId, lastId, minTsSeconds }: RowBounds): Promise<void> {
    const { limit, cleaned, held, nowSeconds } = await this.ask(this.lock)
    if (limit !== null && lastId > limit.id) throw aboveMark(this.table, lastId, limit)
    const oldest = nowSeconds - this.retentionDays * DAY_SECONDS
    if (cleaned && !held && minTsSeconds < oldest) throw pastRetention(this.table, firstId, lastId, this.retentionDays)
  }

  private async ask(lock: string): Promise<RestoreStanding> {
    const { status, batch } = controlTableNames(this.table)
    const marks = await askRows(this.connection, `select archiver, log_score_id from ${quoteName(status)} ${lock}`)
    const hold = `select 1 from ${quoteName(batch)} where archiver = '${HOLD}' and state = 'planned' ${lock}`
    const held = await askRows(this.connection, hold).catch((error: unknown) => {
      if (isMissingTable(error)) return []
      throw error
    })
    const [time] = await askRows(this.connection, 'select to_seconds(utc_timestamp()) - 62167219200')
    const archivers = marks.map(([archiver, id]) => ({ archiver: String(archiver), id: BigInt((id ?? 0) as number) }))
    return {
      limit: lowest(archivers.filter(({ archiver }) => archiver !== 'cleanup')),
      cleaned: archivers.some(({ archiver }) => archiver === 'cleanup'),
      held: held.length > 0,
      nowSeconds: Number(time?.[0]),
    }
  }
}

/** An archiver that has stored nothing would store everything. */
function lowest(marks: readonly { readonly archiver: string; readonly id: bigint }[]): RestoreStanding['limit'] {
  return marks.reduce<RestoreStanding['limit']>((low, mark) => (low === null || mark.id < low.id ? mark : low), null)
}

function pastRetention(table: string, firstId: bigint, lastId: bigint, days: number): ArchiverError {
  return new ArchiverError(
    `among rows ${firstId} to ${lastId} are some older than ${days} days: the cleaner of ${table} would delete them at its next run`,
    {
      code: 'RESTORE_PAST_RETENTION',
      table,
      hint: 'Add --pause-cleanup, which holds it up until archiver restore --resume-cleanup; or name another table with --into.',
    },
  )
}
