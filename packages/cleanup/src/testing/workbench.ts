import { type LogScore, leaseUntil, rowsFromChunk } from '@archiver/core'
import { connect, disconnect, MySqlCleanupSource, MySqlLedger, MySqlSource } from '@archiver/mysql'
import { createSourceTables, generateRows, insertRows, type MySqlDatabase, type SourceRow } from '@archiver/testkit'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { runCleanup } from '../cleaner.js'
import type { CleanupEvent } from '../events.js'
import type { CleanupOptions } from '../options.js'
import type { CleanupResult } from '../result.js'
import { ShelfArchive } from './shelf-archive.js'

export const DAY_S = 86_400
const RETENTION_DAYS = 14

/** A table with its archives on shelves, and everything a run of the cleaner needs. */
export class Workbench implements AsyncDisposable {
  readonly table: string
  /** The test's own. */
  readonly connection: Connection
  /** The cleaner's. */
  readonly control: Awaited<ReturnType<typeof connect>>
  readonly events: CleanupEvent[] = []
  readonly shelves = new Map<string, ShelfArchive>()
  readonly source: MySqlSource
  private readonly database: MySqlDatabase

  private constructor(database: MySqlDatabase, table: string, connection: Connection, control: Workbench['control']) {
    this.database = database
    this.table = table
    this.connection = connection
    this.control = control
    this.source = new MySqlSource({ settings: database.address, table })
  }

  /** @param archivers - beside `cleanup`, without marks. */
  static async open(database: MySqlDatabase, archivers: readonly string[] = ['shelf'], table = nextTable()) {
    const connection = await database.connect()
    const control = await connect(database.address, 'wait_timeout = 60, innodb_lock_wait_timeout = 2')
    await createSourceTables(connection, { table, archivers: [...archivers, 'cleanup'] })
    await new MySqlLedger(control, table).prepare()
    const bench = new Workbench(database, table, connection, control)
    for (const name of archivers) bench.shelf(name)
    return bench
  }

  shelf(name = 'shelf'): ShelfArchive {
    const shelf = this.shelves.get(name) ?? new ShelfArchive(name)
    this.shelves.set(name, shelf)
    return shelf
  }

  get ledger(): MySqlLedger {
    return new MySqlLedger(this.control, this.table)
  }

  /** Inserts rows, the first of them so many days old, one a second from then on. */
  async insert(rows: number, daysOld: number, firstId = 1n): Promise<void> {
    const startSeconds = Math.floor(Date.now() / 1000) - Math.round(daysOld * DAY_S)
    await insertRows(this.connection, this.table, generateRows({ rows, firstId, startSeconds, rowsPerSecond: 1 }))
  }

  async insertRow(row: Partial<SourceRow> & Pick<SourceRow, 'id' | 'tsSeconds'>): Promise<void> {
    const plain = { monitorId: 1, serverId: 7, score: 19.1, step: 1, offset: 0.1, rtt: 20, attributes: null }
    await insertRows(this.connection, this.table, [{ ...plain, ...row }])
  }

  /** Every row of the source is put on the shelves, and the marks set. */
  async archiveAll(mark: bigint): Promise<void> {
    const rows = await this.sourceRows()
    for (const shelf of this.shelves.values()) {
      shelf.put(rows.filter(({ id }) => id <= mark && !shelf.holds(id)))
      await this.mark(shelf.name, mark)
    }
  }

  async sourceRows(): Promise<LogScore[]> {
    const rows: LogScore[] = []
    const range = { afterId: 0n, upToId: (await this.source.maxId()) ?? 0n }
    for await (const chunk of this.source.read(range)) rows.push(...rowsFromChunk(chunk))
    return rows
  }

  async mark(archiver: string, id: bigint | null): Promise<void> {
    await this.query(
      `insert into ${this.table}_archive_status (archiver, log_score_id) values (?, ?)
       on duplicate key update log_score_id = values(log_score_id)`,
      [archiver, id],
    )
  }

  async markOf(archiver: string): Promise<bigint | null> {
    const rows = await this.query(`select log_score_id id from ${this.table}_archive_status where archiver = ?`, [
      archiver,
    ])
    return rows[0]?.id == null ? null : BigInt(rows[0].id)
  }

  async query(sql: string, values: readonly unknown[] = []): Promise<RowDataPacket[]> {
    return (await this.connection.query<RowDataPacket[]>(sql, [...values]))[0]
  }

  /** The ids that are left in the source. */
  async ids(): Promise<number[]> {
    return (await this.query(`select id from ${this.table} order by id`)).map(({ id }) => Number(id))
  }

  cleanupSource(): MySqlCleanupSource {
    return new MySqlCleanupSource({ connection: this.control, settings: this.database.address, table: this.table })
  }

  options(options: SomeOptions = {}): CleanupOptions {
    return {
      table: this.table,
      database: this.cleanupSource(),
      ledger: this.ledger,
      source: this.source,
      lease: leaseUntil(),
      open: async (name: string) => this.shelves.get(name) ?? { notHere: 'a test has no such archive' },
      settleMs: 0,
      onEvent: (event: CleanupEvent) => void this.events.push(event),
      ...options,
      policy: {
        retentionDays: RETENTION_DAYS,
        maxRows: 200_000,
        intervalMs: 0,
        reducedIntervalMs: 0,
        pauseMs: 0,
        ...options.policy,
      },
    }
  }

  clean(options: SomeOptions = {}): Promise<CleanupResult> {
    return runCleanup(this.options(options))
  }

  /** The cleaner with an account that has these rights only. @param grants - each without the account. */
  async limitedTo(grants: readonly string[]) {
    const user = `limited_${this.table}`
    const account = `'${user}'@'%'`
    await this.query(`create user ${account} identified by 'secret'`)
    const grant = (text: string) => this.query(`${text} ${account}`)
    for (const text of grants) await grant(text)
    const settings = { ...this.database.address, user, password: 'secret' }
    const connection = await connect(settings, 'wait_timeout = 60')
    return {
      grant,
      clean: () =>
        this.clean({
          database: new MySqlCleanupSource({ connection, settings, table: this.table }),
          ledger: new MySqlLedger(connection, this.table),
        }),
      [Symbol.asyncDispose]: async () => {
        await disconnect(connection)
        await this.query(`drop user ${account}`)
      },
    }
  }

  /** The events of a kind, in order. */
  eventsOf<Name extends CleanupEvent['event']>(name: Name): Extract<CleanupEvent, { event: Name }>[] {
    // TypeScript does not narrow by a type parameter.
    return this.events.filter(({ event }) => event === name) as Extract<CleanupEvent, { event: Name }>[]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.end()
    await disconnect(this.control)
    await this.source[Symbol.asyncDispose]()
  }
}

type SomeOptions = Partial<Omit<CleanupOptions, 'policy'>> & { readonly policy?: Partial<CleanupOptions['policy']> }

let tables = 0

function nextTable(): string {
  return `scores_${tables++}`
}

/** Numbers from the first to the last. */
export function upTo(last: number, first = 1): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}
