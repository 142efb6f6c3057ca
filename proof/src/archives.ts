import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { archivedRow } from '@archiver/avro'
import type { LogScore } from '@archiver/core'
import type { ClickHouseDatabase } from '@archiver/testkit'
import { avroRows } from './avro-rows.js'
import type { Cloud } from './cloud.js'
import { type AskClickHouse, clickHouseRow, clickHouseRows } from './rows.js'

export const ARCHIVERS = ['fileavro', 'clickhouse', 'gcsavro', 'bigquery'] as const
export type ArchiverName = (typeof ARCHIVERS)[number]

/** Where the archives of one table are. */
export interface Places {
  readonly table: string
  /** What the names of its objects begin with, before the year. */
  readonly prefix: string
  readonly folder: string
  /** For batches on their way. */
  readonly spool: string
  readonly clickhouse: ClickHouseDatabase
  readonly cloud: Cloud | undefined
}

/** The row as this archive documents that it is stored. */
export function storedRow(archiver: ArchiverName, row: LogScore): LogScore {
  return archiver === 'clickhouse' ? clickHouseRow(row) : archivedRow(row)
}

/** All rows of an archive, read without its adapter. */
export async function archivedRows(archiver: ArchiverName, places: Places, ask?: AskClickHouse): Promise<LogScore[]> {
  const { table, folder, clickhouse, cloud } = places
  switch (archiver) {
    case 'fileavro':
      return avroRows(folder)
    case 'clickhouse':
      return clickHouseRows(ask ?? ((sql) => clickhouse.query(`${sql} format JSONEachRow`)), table)
    case 'gcsavro':
      return cloud === undefined ? [] : objectRows(cloud, places)
    case 'bigquery':
      return cloud === undefined ? [] : cloud.tableRows(table)
  }
}

async function objectRows(cloud: Cloud, { prefix }: Places): Promise<LogScore[]> {
  const folder = await mkdtemp(join(tmpdir(), 'archiver-objects-'))
  await cloud.download(await cloud.objects(prefix), folder)
  const rows = await avroRows(folder)
  await rm(folder, { recursive: true })
  return rows
}

/** What was left behind: names in the folders and in the bucket that are no archive's. */
export async function leftovers({ folder, spool, prefix, cloud }: Places): Promise<string[]> {
  const files = (await readdir(folder)).filter((name) => !/^\d+-\d+\.avro$/.test(name))
  const objects = ((await cloud?.objects()) ?? []).filter((name) => !isArchive(name, prefix))
  return [...files, ...(await readdir(spool)), ...objects].map((name) => `${name} was left behind`)
}

function isArchive(object: string, prefix: string): boolean {
  return object.startsWith(prefix) && /^\d{4}\/\d+-\d+\.avro$/.test(object.slice(prefix.length))
}
