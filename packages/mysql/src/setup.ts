import { type Kysely, sql } from 'kysely'
import type { Connection } from 'mysql2'
import { run } from './connect.js'
import { isDenied, isMissingTable, statementError } from './mysql-errors.js'
import { refuseReadOnly } from './read-only.js'
import { type ColumnRow, type IndexRow, misfits, type SourceForm, TABLE_FORMS, whyUnreferable } from './table-form.js'
import {
  batchTableSql,
  type ControlTables,
  controlQueries,
  controlTableNames,
  quoteName,
  skipTableSql,
  statusTableSql,
} from './tables.js'

/** A table of ours, as it was found. */
export interface FoundTable {
  readonly name: string
  /** unknown: the account may not look at it. */
  readonly state: 'there' | 'missing' | 'unknown'
  /** What keeps the program from working with it; empty where nothing does. */
  readonly misfits: readonly string[]
  /** Creates it. */
  readonly sql: string
  /** Why `sql` makes it without the foreign key to the source table; absent where it has the key. */
  readonly withoutKey?: string
}

/** Who is connected, and to what. */
export interface Session {
  /** `name@host` of CURRENT_USER(): what grants are given to. */
  readonly account: string
  readonly database: string
}

/**
 * For {@link connect}. Giving up after 3 s is better than waiting: in MySQL a new foreign key needs the table it refers to
 * for itself, and all who insert there queue up behind the one who waits.
 */
export const SETUP_SESSION = 'lock_wait_timeout = 3'

/** The tables beside the source table: what there is, and what is to be run. The connection has {@link SETUP_SESSION}. */
export class MySqlSetup {
  private readonly connection: Connection
  private readonly db: Kysely<ControlTables>
  private readonly table: string
  private readonly names: ReturnType<typeof controlTableNames>

  constructor(connection: Connection, table: string) {
    this.connection = connection
    this.db = controlQueries(connection)
    this.table = table
    this.names = controlTableNames(table)
  }

  /** The three tables, in the order in which they are created. Needs no rights: what may not be seen is unknown. */
  async tables(): Promise<readonly FoundTable[]> {
    const why = await this.whyNoKey()
    const status = await this.look('status', statusTableSql(this.table, why === null))
    return [
      why === null || status.state === 'there' ? status : { ...status, withoutKey: why },
      await this.look('batch', batchTableSql(this.table)),
      await this.look('skip', skipTableSql(this.table)),
    ]
  }

  /** The archivers that are turned on. Empty where the table is missing or may not be read. */
  async archivers(): Promise<readonly string[]> {
    try {
      const rows = await this.db.selectFrom(this.names.status).select('archiver').orderBy('id').execute()
      return rows.map(({ archiver }) => archiver)
    } catch (error) {
      if (isMissingTable(error) || isDenied(error)) return []
      throw this.explain(error, 'reading the archivers')
    }
  }

  async session(): Promise<Session> {
    const { rows } = await sql<Session>`select current_user() as account, database() as ${sql.ref('database')}`
      .execute(this.db)
      .catch((error: unknown) => {
        throw this.explain(error, 'asking who is connected')
      })
    return rows[0]!
  }

  /** Runs statements in order. @throws ArchiverError for the first that fails; those before it stay. */
  async run(statements: readonly string[], { rejectReadOnly = false } = {}): Promise<void> {
    if (rejectReadOnly) await refuseReadOnly(this.db, this.table)
    try {
      for (const statement of statements) await run(this.connection, statement)
    } catch (error) {
      throw this.explain(error, 'preparing the tables')
    }
  }

  /** Why no foreign key can refer to the source table; null where one can, or where the table may not be seen. */
  private async whyNoKey(): Promise<string | null> {
    try {
      const form = await sql<SourceForm>`
        select engine as engine, table_type as kind, create_options as options from information_schema.tables
        where table_schema = database() and table_name = ${this.table}`.execute(this.db)
      const { rows: columns } = await sql<ColumnRow>`show columns from ${sql.table(this.table)}`.execute(this.db)
      const { rows: indexes } = await sql<IndexRow>`show index from ${sql.table(this.table)}`.execute(this.db)
      return form.rows[0] === undefined ? null : whyUnreferable(form.rows[0], columns, indexes)
    } catch (error) {
      if (isMissingTable(error) || isDenied(error)) return null
      throw this.explain(error, `looking at ${this.table}`)
    }
  }

  private async look(which: keyof ControlTables, create: string): Promise<FoundTable> {
    const name = this.names[which]
    try {
      const { rows: columns } = await sql<ColumnRow>`show columns from ${sql.table(name)}`.execute(this.db)
      const { rows: indexes } = await sql<IndexRow>`show index from ${sql.table(name)}`.execute(this.db)
      return { name, state: 'there', misfits: misfits(TABLE_FORMS[which], columns, indexes), sql: create }
    } catch (error) {
      if (isMissingTable(error)) return { name, state: 'missing', misfits: [], sql: create }
      if (isDenied(error)) return { name, state: 'unknown', misfits: [], sql: create }
      throw this.explain(error, `looking at ${name}`)
    }
  }

  private explain(error: unknown, doing: string) {
    return statementError(error, doing, { table: this.table })
  }
}

/** Turns archivers on, one statement each. The names are those of our own adapters. */
export function turnOnSql(table: string, archivers: readonly string[]): string[] {
  const status = quoteName(controlTableNames(table).status)
  return archivers.map((archiver) => `insert into ${status} (archiver) values ('${archiver.replaceAll("'", "''")}')`)
}
