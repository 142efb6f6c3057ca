import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import {
  type ClickHouseServer,
  createDatabase,
  createSourceTables,
  fillTable,
  generateRows,
  type MySqlDatabase,
  type MySqlServer,
  startClickHouse,
  startMariaDb,
} from '@archiver/testkit'
import type { Connection } from 'mysql2/promise'
import { Cloud } from './cloud.js'
import { orWhyNot } from './why-not.js'

/** The servers, rows and folders that everything is measured on. */
export interface Bed {
  readonly mysql: MySqlServer
  readonly database: MySqlDatabase
  /** For preparations between the measured runs. */
  readonly connection: Connection
  /** Or why there is none on this machine. */
  readonly clickHouse: ClickHouseServer | string
  readonly cloud: Cloud
  /** A temporary folder, removed at the end. */
  readonly folder: string
  /** Rows of `log_scores`. */
  readonly rows: number
  close(): Promise<void>
}

/** What a row takes in memory, in MariaDB's pages, with room to spare. */
const bytesPerRow = 150

/**
 * Starts the servers and fills `log_scores`.
 *
 * @param largest rows of the largest table that there will be
 */
export async function makeBed(rows: number, largest: number): Promise<Bed> {
  const pool = Math.min(256e6 + (rows + largest) * bytesPerRow, totalmem() / 3)
  const mysql = await startMariaDb({ serverArgs: [`--innodb-buffer-pool-size=${Math.floor(pool)}`] })
  const database = await createDatabase(mysql)
  const connection = await database.connect()
  await createSourceTables(connection)
  await fillTable(connection, 'log_scores', generateRows({ rows }))
  await readOnce(connection, 'log_scores')
  const clickHouse = await orWhyNot(startClickHouse())
  const folder = await mkdtemp(join(tmpdir(), 'archiver-bench-'))
  const cloud = await Cloud.start(join(folder, 'bigquery'))
  return {
    mysql,
    database,
    connection,
    clickHouse,
    cloud,
    folder,
    rows,
    async close() {
      connection.destroy()
      await cloud.close()
      await rm(folder, { recursive: true, force: true })
      if (typeof clickHouse !== 'string') await clickHouse.stop()
      await mysql.stop()
    },
  }
}

/**
 * Makes another source table of the first rows of `log_scores`, as often over as it takes; without its secondary keys,
 * which nothing here reads.
 */
export async function makeCopy({ connection, rows }: Bed, table: string, size: number): Promise<void> {
  await createSourceTables(connection, { table })
  await connection.query(`alter table \`${table}\` drop key server_id, drop key ts, drop key monitor_id`)
  const columns = 'monitor_id, server_id, ts, score, step, `offset`, rtt, attributes'
  for (let copied = 0; copied < size; copied += rows) {
    await connection.query(
      `insert into \`${table}\` (id, ${columns}) select id + ?, ${columns} from log_scores where id <= ? order by id`,
      [copied, Math.min(rows, size - copied)],
    )
  }
}

/** As before the first pass over this table, for these archivers: nothing stored, no marks. */
export async function reset(bed: Bed, archivers: readonly string[], table = 'log_scores'): Promise<void> {
  const { connection, clickHouse, folder } = bed
  await connection.query(`drop table if exists \`${table}_archive_batch\``)
  await connection.query(`delete from \`${table}_archive_status\``)
  for (const archiver of archivers) {
    await connection.query(`insert into \`${table}_archive_status\` (archiver) values (?)`, [archiver])
  }
  await rm(folder, { recursive: true, force: true })
  for (const name of ['avro', 'spool', 'bigquery']) await mkdir(join(folder, name), { recursive: true })
  if (typeof clickHouse !== 'string') await clickHouse.query(`drop table if exists ${table}`)
}

/** Loads a table into the server's memory. */
async function readOnce(connection: Connection, table: string): Promise<void> {
  await connection.query(`select sum(score) from \`${table}\``)
}
