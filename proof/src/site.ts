import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LogScore } from '@archiver/core'
import {
  type ClickHouseDatabase,
  type ClickHouseServer,
  createClickHouseDatabase,
  createSourceTables,
  dropTables,
  type FakeGcsServer,
  insertRows,
  type MySqlDatabase,
  type SourceRow,
} from '@archiver/testkit'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { type ArchiverName, archivedRows, leftovers, type Places, storedRow } from './archives.js'
import { catalogueOf } from './catalogue.js'
import { Cloud } from './cloud.js'
import { differences } from './compare.js'
import { type AskClickHouse, oddRows, sourceRows } from './rows.js'

const TABLE = 'log_scores'

/** A source and a place for each archive: what the built CLI works on in a test. */
export class Site {
  readonly mysql: MySqlDatabase
  readonly connection: Connection
  readonly places: Places
  /** Settings that reach all of it, with small batches. */
  readonly env: Record<string, string>

  private constructor(mysql: MySqlDatabase, connection: Connection, places: Places) {
    this.mysql = mysql
    this.connection = connection
    this.places = places
    const { folder, spool, clickhouse, cloud } = places
    this.env = {
      ...settingsFor(mysql),
      avro_path: folder,
      ch_dsn: dsnOf(clickhouse),
      spool_path: spool,
      ...cloud?.env,
    }
  }

  /** @param gcs - where there are to be archives in the cloud too. */
  static async open(mysql: MySqlDatabase, clickhouse: ClickHouseServer, gcs?: FakeGcsServer): Promise<Site> {
    const places = {
      table: TABLE,
      prefix: '',
      folder: await mkdtemp(join(tmpdir(), 'archiver-proof-')),
      spool: await mkdtemp(join(tmpdir(), 'archiver-spool-')),
      clickhouse: await createClickHouseDatabase(clickhouse),
      cloud: gcs && (await Cloud.open(gcs)),
    }
    return new Site(mysql, await mysql.connect(), places)
  }

  get folder(): string {
    return this.places.folder
  }

  get clickhouse(): ClickHouseDatabase {
    return this.places.clickhouse
  }

  /** @throws Error where the site was opened without. */
  get cloud(): Cloud {
    const { cloud } = this.places
    if (cloud === undefined) throw new Error('the site has no archives in the cloud')
    return cloud
  }

  /** A new source with these rows, or so many, and these archivers turned on. */
  async fill(
    rows: number | Iterable<SourceRow>,
    archivers: readonly ArchiverName[] = ['fileavro', 'clickhouse'],
  ): Promise<void> {
    await dropTables(this.connection)
    await createSourceTables(this.connection, { archivers })
    await insertRows(this.connection, TABLE, typeof rows === 'number' ? oddRows({ rows, seed: 3 }) : rows)
    await this.empty(archivers)
  }

  /** Empty archives, and none of the source's rows marked. */
  async empty(archivers: readonly ArchiverName[]): Promise<void> {
    await this.connection.query('drop table if exists log_scores_archive_batch')
    await this.connection.query('delete from log_scores_archive_status')
    for (const name of archivers) await this.turnOn(name)
    await this.clickhouse.query('drop table if exists log_scores')
    for (const name of await readdir(this.folder)) await rm(join(this.folder, name), { recursive: true })
    await this.places.cloud?.empty(TABLE)
  }

  async turnOn(name: ArchiverName | 'cleanup'): Promise<void> {
    await this.connection.query('insert into log_scores_archive_status (archiver) values (?)', [name])
  }

  /** The same with another connection, when its server was restarted. */
  with(connection: Connection): Site {
    return new Site(this.mysql, connection, this.places)
  }

  /** The same with its files in another folder. */
  in(folder: string): Site {
    return new Site(this.mysql, this.connection, { ...this.places, folder })
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
    const ids = rows.map(({ id }) => id)
    const mark = (await this.marks())[archiver]
    return [
      ...differences(
        await this.archived(archiver, ask),
        rows.map((row) => storedRow(archiver, row)),
      ),
      ...(BigInt(mark ?? 0) === (ids.at(-1) ?? 0n) ? [] : [`the mark is ${mark}, not ${ids.at(-1)}`]),
      ...(await catalogueOf(this.connection, TABLE, archiver, { ids })).problems,
      ...(await this.leftovers()),
    ]
  }

  archived(archiver: ArchiverName, ask?: AskClickHouse): Promise<LogScore[]> {
    return archivedRows(archiver, this.places, ask)
  }

  leftovers(): Promise<string[]> {
    return leftovers(this.places)
  }

  async close(): Promise<void> {
    const { clickhouse, folder, spool, cloud } = this.places
    await this.connection.end()
    await clickhouse.drop()
    await cloud?.close()
    for (const path of [folder, spool]) await rm(path, { recursive: true })
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
    batch_bq_interval: '0s',
    batch_bq_min_size: '1',
    // Scaled: 2 s by default. An accepted insert has this long to become a statement.
    archive_takeover_wait: '300ms',
  }
}

function dsnOf({ server, name }: ClickHouseDatabase): string {
  return `http://default:@127.0.0.1:${server.httpPort}/${name}`
}
