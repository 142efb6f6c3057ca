import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { archivedRow } from '@archiver/avro'
import type { LogScore } from '@archiver/core'
import {
  type ClickHouseDatabase,
  type ClickHouseServer,
  createClickHouseDatabase,
  createSourceTables,
  dropTables,
  insertRows,
  type MySqlDatabase,
} from '@archiver/testkit'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { catalogueProblems } from './catalogue.js'
import { differences } from './compare.js'
import { type AskClickHouse, avroRows, clickHouseRow, clickHouseRows, oddRows, sourceRows } from './rows.js'

export type ArchiverName = 'fileavro' | 'clickhouse'

/** A source, a folder and a ClickHouse database: what the built CLI works on in a test. */
export class Site {
  readonly mysql: MySqlDatabase
  readonly connection: Connection
  readonly clickhouse: ClickHouseDatabase
  readonly folder: string
  /** Settings that reach all of it, with small batches. */
  readonly env: Record<string, string>

  private constructor(mysql: MySqlDatabase, connection: Connection, clickhouse: ClickHouseDatabase, folder: string) {
    this.mysql = mysql
    this.connection = connection
    this.clickhouse = clickhouse
    this.folder = folder
    this.env = { ...settingsFor(mysql), avro_path: folder, ch_dsn: dsnOf(clickhouse) }
  }

  static async open(mysql: MySqlDatabase, clickhouse: ClickHouseServer): Promise<Site> {
    const folder = await mkdtemp(join(tmpdir(), 'archiver-proof-'))
    return new Site(mysql, await mysql.connect(), await createClickHouseDatabase(clickhouse), folder)
  }

  /** A new source with `rows` rows, and these archivers turned on. */
  async fill(rows: number, archivers: readonly ArchiverName[] = ['fileavro', 'clickhouse']): Promise<void> {
    await dropTables(this.connection)
    await createSourceTables(this.connection, { archivers })
    await insertRows(this.connection, 'log_scores', oddRows({ rows, seed: 3 }))
    await this.empty(archivers)
  }

  /** Empty archives, and none of the source's rows marked. */
  async empty(archivers: readonly ArchiverName[]): Promise<void> {
    await this.connection.query('drop table if exists log_scores_archive_batch')
    await this.connection.query('delete from log_scores_archive_status')
    for (const name of archivers) {
      await this.connection.query('insert into log_scores_archive_status (archiver) values (?)', [name])
    }
    await this.clickhouse.query('drop table if exists log_scores')
    for (const name of await readdir(this.folder)) await rm(join(this.folder, name), { recursive: true })
  }

  /** The same with another connection, when its server was restarted. */
  with(connection: Connection): Site {
    return new Site(this.mysql, connection, this.clickhouse, this.folder)
  }

  /** The same with its files in another folder. */
  in(folder: string): Site {
    return new Site(this.mysql, this.connection, this.clickhouse, folder)
  }

  async marks(): Promise<Record<string, number | null>> {
    const sql = 'select archiver, log_score_id from log_scores_archive_status'
    const [rows] = await this.connection.query<RowDataPacket[]>(sql)
    return Object.fromEntries(rows.map((row) => [row.archiver, row.log_score_id]))
  }

  /**
   * What is wrong with an archive that should hold every row once: its rows, its mark, its catalogue, its leftovers.
   *
   * @param ask - another ClickHouse than the server.
   */
  async problems(archiver: ArchiverName, ask?: AskClickHouse): Promise<string[]> {
    const rows = await sourceRows(this.connection)
    const expected = rows.map(archiver === 'fileavro' ? archivedRow : clickHouseRow)
    const ids = rows.map(({ id }) => id)
    const mark = (await this.marks())[archiver]
    return [
      ...differences(await this.archived(archiver, ask), expected),
      ...(BigInt(mark ?? 0) === (ids.at(-1) ?? 0n) ? [] : [`the mark is ${mark}, not ${ids.at(-1)}`]),
      ...(await catalogueProblems(this.connection, 'log_scores', archiver, ids)),
      ...(await this.leftovers()),
    ]
  }

  archived(archiver: ArchiverName, ask = this.askServer): Promise<LogScore[]> {
    return archiver === 'fileavro' ? avroRows(this.folder) : clickHouseRows(ask)
  }

  private readonly askServer: AskClickHouse = (sql) => this.clickhouse.query(`${sql} format JSONEachRow`)

  /** Names in the folder that are no archive files. */
  async leftovers(): Promise<string[]> {
    const names = await readdir(this.folder)
    return names.filter((name) => !/^\d+-\d+\.avro$/.test(name)).map((name) => `${name} was left behind`)
  }

  async close(): Promise<void> {
    await this.connection.end()
    await this.clickhouse.drop()
    await rm(this.folder, { recursive: true })
  }
}

function settingsFor({ address }: MySqlDatabase): Record<string, string> {
  return {
    db_host: `${address.host}:${address.port}`,
    db_database: address.database,
    db_user: address.user,
    db_pass: address.password,
    log_format: 'json',
    batch_avro_interval: '0s',
    batch_avro_min_size: '1',
    batch_ch_min_size: '1',
    // Scaled: 2 s by default. An accepted insert has this long to become a statement.
    archive_takeover_wait: '300ms',
  }
}

function dsnOf({ server, name }: ClickHouseDatabase): string {
  return `http://default:@127.0.0.1:${server.httpPort}/${name}`
}
