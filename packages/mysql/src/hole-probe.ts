import type { SourceRange } from '@archiver/core'
import type { Connection, RowDataPacket } from 'mysql2'

/** Ranges that are asked about in one statement. */
const RANGES_A_STATEMENT = 200

/** What the server answers, at once, where a row of the range is locked by another transaction. */
const BUSY = new Set(['ER_LOCK_NOWAIT', 'ER_LOCK_WAIT_TIMEOUT'])

/**
 * Looks into empty ranges of ids with a locking read that does not wait: it fails while an uncommitted insert sits in
 * one. The connection must be at READ COMMITTED with autocommit, so that the gaps themselves are not locked.
 */
export class HoleProbe {
  private readonly connection: Connection
  /** Quoted. */
  private readonly table: string
  private readonly lockClause: string

  constructor(connection: Connection, table: string, serverVersion: string) {
    this.connection = connection
    this.table = table
    this.lockClause = /mariadb/i.test(serverVersion) ? 'lock in share mode nowait' : 'for share nowait'
  }

  /** The first range with a row, committed or not; null if there is none. */
  async firstOpen(holes: readonly SourceRange[]): Promise<SourceRange | null> {
    for (let from = 0; from < holes.length; from += RANGES_A_STATEMENT) {
      const some = holes.slice(from, from + RANGES_A_STATEMENT)
      if (await this.isOpen(some)) return this.firstOpenOf(some)
    }
    return null
  }

  private async firstOpenOf(holes: readonly SourceRange[]): Promise<SourceRange | null> {
    for (const hole of holes) if (await this.isOpen([hole])) return hole
    return null
  }

  private async isOpen(holes: readonly SourceRange[]): Promise<boolean> {
    const ranges = holes.map(() => '(id > ? and id <= ?)').join(' or ')
    const sql = `select id from ${this.table} where ${ranges} limit 1 ${this.lockClause}`
    const values = holes.flatMap(({ afterId, upToId }) => [afterId, upToId])
    return new Promise((resolve, reject) =>
      this.connection.query<RowDataPacket[]>({ sql, values }, (error, rows) => {
        if (error === null) resolve(rows.length > 0)
        else if (BUSY.has(error.code ?? '')) resolve(true)
        else reject(error)
      }),
    )
  }
}
