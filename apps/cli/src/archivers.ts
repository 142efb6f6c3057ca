import { type ArchiveReader, type Archiver, ArchiverError, readerOf } from '@archiver/core'
import type { NotHere } from '@archiver/core/engine'
import type { LockNames } from '@archiver/mysql'
import { chooseTable, lockNames, type Settings } from './config/index.js'
import { UsageError } from './exit-codes.js'

/** How the source is to be read for the archives of these settings. */
export function sourceOptions({ settings, table }: Pick<Wiring, 'settings' | 'table'>) {
  return { settings: settings.mysql, table, exactAttributes: settings.exactAttributes }
}

/** What a pass works on. */
export interface Target {
  readonly table: string
  /** The lock's name in messages and in what is staged; `lock` has all of them. */
  readonly lockName: string
  readonly lock: LockNames
}

/** What an archiver is made from. */
export interface Wiring extends Target {
  readonly settings: Settings
  /** Nothing is made where it is missing. */
  readonly readOnly?: boolean
}

type Open = (wiring: Wiring) => Promise<Archiver | NotHere>

/**
 * The one place that knows all archives. An adapter, and the client library behind it, is imported when its status row
 * and its settings say so.
 */
const ARCHIVES: Readonly<Record<string, Open>> = {
  fileavro: openFileAvro,
  clickhouse: openClickHouse,
  bigquery: openBigQuery,
  gcsavro: openGcsAvro,
}

/** What a status row may be named. */
const ARCHIVERS: Readonly<Record<string, Open>> = {
  ...ARCHIVES,
  cleanup: async () => ({ notHere: 'it is no archive' }),
  influxdb: () =>
    refuse('influxdb', 'support for InfluxDB was removed', 'Delete its row from the status table.', 'ARCHIVER_REMOVED'),
}

/** Makes the archiver of a status row. @throws ArchiverError for a row that this program cannot serve. */
export async function openArchiver(name: string, wiring: Wiring): Promise<Archiver | NotHere> {
  const open = Object.hasOwn(ARCHIVERS, name) ? ARCHIVERS[name] : undefined
  if (open !== undefined) return open(wiring)
  const hint = `Known are ${Object.keys(ARCHIVERS).join(', ')}. Correct or delete the row.`
  return refuse(name, `the status table has a row for an unknown archiver`, hint, 'ARCHIVER_UNKNOWN')
}

/** The batch policies of the archives that are configured, by name; none of them is loaded for that. */
export function configuredPolicies({ batches, fileAvro, clickhouse, bigquery, cloudStorage }: Settings) {
  return {
    ...(fileAvro && { fileavro: batches.avro }),
    ...(clickhouse && { clickhouse: batches.clickhouse }),
    ...(bigquery && { bigquery: batches.bigquery }),
    ...(cloudStorage && { gcsavro: batches.avro }),
  }
}

/** The archivers that have an archive. */
export const archiveNames: readonly string[] = Object.keys(ARCHIVES)

/** @throws UsageError for a name that is no archive's. */
export function checkArchive(name: string): void {
  if (Object.hasOwn(ARCHIVES, name)) return
  throw new UsageError(`there is no archive ${name}; known are ${archiveNames.join(', ')}`)
}

/** An archive that is only read. */
export interface ReadableArchive extends AsyncDisposable {
  readonly name: string
  readonly reader: ArchiveReader
}

/**
 * Opens an archive to read it. MySQL is not asked for anything, nor for the row that turns its archiver on.
 *
 * @throws UsageError for a name that is no archive's, or one that is not configured here; ArchiverError for a folder that is
 * not there: it is no archive without rows.
 */
export async function openToRead(name: string, wiring: Wiring): Promise<ReadableArchive> {
  checkArchive(name)
  const opened = await openArchiver(name, { ...wiring, readOnly: true })
  if ('notHere' in opened) throw new UsageError(`${name} is ${opened.notHere}`)
  const reader = readerOf(opened)
  if (name === 'fileavro') await opened.validate?.()
  return { name, reader, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() }
}

/** The archives that are configured here, those first that answer fastest for a few rows. */
export function configuredArchives({ clickhouse, fileAvro, cloudStorage, bigquery }: Settings): string[] {
  const all = Object.entries({ clickhouse, fileavro: fileAvro, gcsavro: cloudStorage, bigquery })
  return all.filter(([, settings]) => settings !== undefined).map(([name]) => name)
}

/** @throws UsageError for a name given with `--only`, or another option, that is no archiver's. */
export function checkOnly(names: readonly string[], option = '--only'): void {
  const unknown = names.filter((name) => !Object.hasOwn(ARCHIVERS, name))
  if (unknown.length === 0) return
  throw new UsageError(
    `${option}: there is no archiver ${unknown.join(', ')}; known are ${Object.keys(ARCHIVERS).join(', ')}`,
  )
}

async function openFileAvro({
  settings,
  table,
  lockName: scope,
  readOnly = false,
}: Wiring): Promise<Archiver | NotHere> {
  if (settings.fileAvro === undefined) return notHere('avro_path')
  const { path } = settings.fileAvro
  const isDefault = table === settings.tables.defaultTable
  const { createFileAvroArchiver } = await import('@archiver/file-avro')
  return createFileAvroArchiver({
    path: isDefault ? path : `${path}/${table}`,
    createPath: !isDefault && !readOnly,
    batch: settings.batches.avro,
    schema: settings.avroSchema,
    codec: settings.avroCodec,
    rowsPerBlock: settings.avroBlockRows,
    scope,
  })
}

async function openClickHouse({ settings }: Wiring): Promise<Archiver | NotHere> {
  if (settings.clickhouse === undefined) return notHere('ch_dsn')
  const { createClickHouseArchiver } = await import('@archiver/clickhouse')
  return createClickHouseArchiver({
    dsn: settings.clickhouse.dsn,
    batch: settings.batches.clickhouse,
    takeoverWaitMs: settings.takeoverWaitMs,
    acceptExpiry: settings.acceptExpiry,
  })
}

async function openGcsAvro({ settings, lockName: scope }: Wiring): Promise<Archiver | NotHere> {
  if (settings.cloudStorage === undefined) return notHere('gc_bucket')
  const { bucket, project, contentType, cacheControl, endpoint, emulatorHost } = settings.cloudStorage
  const { createGcsAvroArchiver } = await import('@archiver/gcs-avro')
  return createGcsAvroArchiver({
    bucket,
    userProject: project,
    contentType,
    cacheControl,
    defaultTable: settings.tables.defaultTable,
    batch: settings.batches.avro,
    schema: settings.avroSchema,
    codec: settings.avroCodec,
    rowsPerBlock: settings.avroBlockRows,
    acceptExpiry: settings.acceptExpiry,
    scope,
    ...set({ endpoint, emulatorHost, keyFile: settings.googleCredentialsFile, spoolPath: settings.spoolPath }),
  })
}

async function openBigQuery({ settings, lockName: scope }: Wiring): Promise<Archiver | NotHere> {
  if (settings.bigquery === undefined) return notHere('bq_dataset')
  const { projectId, dataset, maxLoadsPerDay, viaBucket, endpoint, emulatorHost } = settings.bigquery
  const { createBigQueryArchiver } = await import('@archiver/bigquery')
  return createBigQueryArchiver({
    projectId,
    dataset,
    maxLoadsPerDay,
    schema: settings.avroSchema,
    batch: settings.batches.bigquery,
    takeoverWaitMs: settings.takeoverWaitMs,
    acceptExpiry: settings.acceptExpiry,
    scope,
    ...set({ endpoint, emulatorHost, keyFile: settings.googleCredentialsFile, spoolPath: settings.spoolPath }),
    ...(viaBucket ? set({ viaBucket: bucketOf(settings) }) : set({ formerBucket: bucketOf(settings) })),
  })
}

function bucketOf({ cloudStorage }: Settings) {
  if (cloudStorage === undefined) return undefined
  const { bucket: name, project: userProject, endpoint, emulatorHost } = cloudStorage
  return { name, userProject, ...set({ endpoint, emulatorHost }) }
}

/** Without the properties that are undefined: an option that is not given is left out. */
function set<T extends Record<string, unknown>>(options: T): { [Name in keyof T]?: NonNullable<T[Name]> } {
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given) as { [Name in keyof T]?: NonNullable<T[Name]> } // undefined is what was taken out
}

/** The table to work on and the lock that guards it. @throws ConfigError for one that cannot be used. */
export function chooseTarget({ lock, mysql, tables }: Settings, asked: string | undefined): Target {
  const table = chooseTable(tables, asked)
  const { defaultTable } = tables
  const names = lockNames({ prefix: lock.prefix, database: mysql.database, table, defaultTable })
  return { table, lockName: names.name, lock: names }
}

function notHere(variable: string): NotHere {
  return { notHere: `not configured here: ${variable} is not set` }
}

async function refuse(archiver: string, why: string, hint: string, code: string): Promise<never> {
  throw new ArchiverError(why, { archiver, code, hint })
}
