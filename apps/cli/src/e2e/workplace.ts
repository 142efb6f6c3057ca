import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readLogScores } from '@archiver/avro'
import { type LogScore, rowsFromChunk } from '@archiver/core'
import {
  type ClickHouseDatabase,
  createClickHouseDatabase,
  createSourceTables,
  dropTables,
  generateRows,
  insertRows,
  type MySqlDatabase,
} from '@archiver/testkit'
import { sharedClickHouse } from '@archiver/testkit/vitest'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { type CliRun, runCli, settingsFor } from './run-cli.js'

/** A source with rows, a ClickHouse database and a folder for Avro files: what the CLI works on in a test. */
export class Workplace {
  readonly connection: Connection
  readonly clickhouse: ClickHouseDatabase
  readonly folder: string
  readonly mysql: MySqlDatabase
  /** Change it to what a test is about. */
  env: Record<string, string>
  private readonly settings: Record<string, string>

  private constructor(connection: Connection, clickhouse: ClickHouseDatabase, folder: string, mysql: MySqlDatabase) {
    this.connection = connection
    this.clickhouse = clickhouse
    this.folder = folder
    this.mysql = mysql
    const { httpPort } = clickhouse.server
    const ch_dsn = `tcp://127.0.0.1:9000/${clickhouse.name}?http_port=${httpPort}`
    this.settings = { ...settingsFor(mysql), avro_path: folder, ch_dsn }
    this.env = { ...this.settings }
  }

  static async open(mysql: MySqlDatabase): Promise<Workplace> {
    const clickhouse = await createClickHouseDatabase(await sharedClickHouse())
    const folder = await mkdtemp(join(tmpdir(), 'archiver-e2e-'))
    return new Workplace(await mysql.connect(), clickhouse, folder, mysql)
  }

  /** Empty archives, and a source of `rows` rows with these archivers turned on. */
  async reset(rows: number, archivers: readonly string[] = ['fileavro', 'clickhouse']): Promise<void> {
    await dropTables(this.connection)
    await createSourceTables(this.connection, { archivers })
    await insertRows(this.connection, 'log_scores', generateRows({ rows, seed: 11 }))
    await this.clickhouse.query('drop table if exists log_scores')
    for (const name of await readdir(this.folder)) await rm(join(this.folder, name), { recursive: true })
    this.env = { ...this.settings }
  }

  run(...args: readonly string[]): Promise<CliRun> {
    return runCli(args, this.env)
  }

  async marks(table = 'log_scores'): Promise<Record<string, number | null>> {
    const sql = `select archiver, log_score_id from ${table}_archive_status`
    const [rows] = await this.connection.query<RowDataPacket[]>(sql)
    return Object.fromEntries(rows.map((row) => [row.archiver, row.log_score_id]))
  }

  /** All rows of all files, in the order of their names. */
  async fileRows(folder = this.folder): Promise<LogScore[]> {
    const rows: LogScore[] = []
    for (const name of (await readdir(folder)).filter((file) => file.endsWith('.avro')).sort()) {
      for await (const chunk of readLogScores(join(folder, name))) rows.push(...rowsFromChunk(chunk))
    }
    return rows
  }

  async clickhouseIds(table = 'log_scores'): Promise<number[]> {
    const answer = await this.clickhouse.query(`select id from ${table} order by id format TabSeparated`)
    return answer.split('\n').filter(Boolean).map(Number)
  }

  async close(): Promise<void> {
    await this.connection.end()
    await this.clickhouse.drop()
    await rm(this.folder, { recursive: true })
  }
}
