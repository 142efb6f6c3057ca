import { resolve } from 'node:path'
import type { Acknowledged, BatchPolicy } from '@archiver/core'
import type { MysqlAddress } from './mysql-address.js'
import type { TableChoice } from './table-name.js'
import type { Values, VariableName } from './variables.js'

/** What `connect` of @archiver/core/mysql take, and what the lock's holder needs to know. */
export interface MysqlSettings extends MysqlAddress {
  readonly database: string
  readonly user: string
  /** Empty for none. */
  readonly password: string
  readonly tls: {
    readonly mode: Values['db_tls']
    /** Absolute. */
    readonly caFile: string | undefined
  }
  /** 0 for no limit. */
  readonly connectTimeoutMs: number
  /** 0 for no limit. */
  readonly readTimeoutMs: number
  /** Infinity for no limit. */
  readonly maxOpenConnections: number
  readonly maxIdleConnections: number
  /** 0 for ever. */
  readonly maxIdleTimeMs: number
  /** 0 for ever. */
  readonly maxLifetimeMs: number
  /** Whether a read-only server is to be refused. */
  readonly rejectReadOnly: boolean
}

export interface CleanupSettings {
  /** At least 1. */
  readonly retentionDays: number
  readonly maxRows: number
  readonly intervalMs: number
  /** After a run that deleted `maxRows`. */
  readonly reducedIntervalMs: number
  readonly pauseMs: number
  readonly verify: Values['cleanup_verify']
  /** Whether files that were moved away count as safe. */
  readonly movedIsSafe: boolean
  /** Columns, and keys of `attributes`, that no archive keeps and that may be lost. */
  readonly unarchived: Acknowledged
  /** 0 looks at no replica. */
  readonly maxLagMs: number
  readonly replicas: Values['cleanup_replicas']
  readonly ignoredReplicas: Values['cleanup_replicas_ignored']
  /** 0 for any. */
  readonly maxLoad: number
  /** Absolute. */
  readonly pauseFile: string | undefined
}

export interface BigQuerySettings {
  readonly projectId: string
  readonly dataset: string
  readonly maxLoadsPerDay: number
  /** Whether files go through the bucket of `cloudStorage`, which is set then. */
  readonly viaBucket: boolean
  readonly endpoint: string | undefined
  readonly emulatorHost: string | undefined
}

export interface CloudStorageSettings {
  readonly bucket: string
  readonly project: string
  readonly contentType: string
  readonly cacheControl: string
  readonly endpoint: string | undefined
  readonly emulatorHost: string | undefined
}

/** What only `archiver run` and `archiver status` look at. */
export interface ServiceSettings {
  /** At least 100. */
  readonly runIntervalMs: number
  /** At least 1. */
  readonly runConcurrency: number
  /** Empty for nowhere. */
  readonly listen: string
  /** In lower case. */
  readonly allowedHosts: readonly string[]
  /** Whether accounts are named over HTTP. */
  readonly fullDetails: boolean
  /** Ends with a slash. */
  readonly runbookUrl: string | undefined
  readonly statusLateAfterMs: number | undefined
}

/** Everything the program can be told, checked. An archive that is not configured is undefined. */
export interface Settings {
  readonly mysql: MysqlSettings
  readonly lock: { readonly prefix: string; readonly timeoutMs: number }
  readonly tables: TableChoice
  readonly clickhouse: { readonly dsn: string } | undefined
  readonly bigquery: BigQuerySettings | undefined
  readonly cloudStorage: CloudStorageSettings | undefined
  /** The path is absolute; whether it exists is for the adapter to see. */
  readonly fileAvro: { readonly path: string } | undefined
  /** Absolute; for BigQuery and Cloud Storage. */
  readonly googleCredentialsFile: string | undefined
  readonly avroCodec: Values['avro_codec']
  readonly avroBlockRows: number
  /** Of the Avro files, Cloud Storage and BigQuery. */
  readonly avroSchema: 1 | 2
  /** Whether an archive that is configured keeps `attributes` letter by letter, so that the source has to be read so. */
  readonly exactAttributes: boolean
  readonly batches: { readonly bigquery: BatchPolicy; readonly clickhouse: BatchPolicy; readonly avro: BatchPolicy }
  readonly cleanup: CleanupSettings
  /** Absolute. */
  readonly spoolPath: string | undefined
  readonly settleMs: number
  readonly takeoverWaitMs: number
  /** Whether an archive's table may drop rows with time. */
  readonly acceptExpiry: boolean
  readonly shutdownTimeoutMs: number
  readonly service: ServiceSettings
  /** Absolute. Where skipped rows are written. */
  readonly quarantinePath: string
  readonly logging: { readonly level: Values['log_level']; readonly format: Values['log_format'] }
  /** `default`, `not set`, `environment`, `--config FILE`, `DATABASE_DSN` or the path of a file of secrets. */
  readonly provenance: Readonly<Record<VariableName, string>>
  /** What an operator should look at, though it stops nothing. */
  readonly warnings: readonly string[]
}

/** The settings that the variables' values make. Relative paths start at `cwd`. */
export function settingsOf(values: Values, cwd: string): Omit<Settings, 'provenance' | 'warnings'> {
  return {
    mysql: mysqlOf(values, cwd),
    lock: { prefix: values.db_lock_prefix, timeoutMs: values.db_lock_timeout },
    tables: { defaultTable: values.app_default_table, validTables: values.app_valid_tables },
    ...archivesOf(values, cwd),
    avroCodec: values.avro_codec,
    avroBlockRows: values.batch_avro_append_size,
    avroSchema: values.avro_schema === '2' ? 2 : 1,
    exactAttributes: values.avro_schema === '2' && hasAvro(values),
    batches: batchesOf(values),
    cleanup: cleanupOf(values, cwd),
    spoolPath: absolute(values.spool_path, cwd),
    settleMs: values.archive_settle,
    takeoverWaitMs: values.archive_takeover_wait,
    acceptExpiry: values.archive_expires === 'ok',
    shutdownTimeoutMs: values.shutdown_timeout,
    service: {
      runIntervalMs: values.run_interval,
      runConcurrency: values.run_concurrency,
      listen: values.http_listen,
      allowedHosts: values.http_allowed_hosts,
      fullDetails: values.http_details === 'full',
      runbookUrl: values.runbook_url?.replace(/\/*$/, '/'),
      statusLateAfterMs: values.status_late_after,
    },
    quarantinePath: absolute(values.quarantine_path ?? values.avro_path, cwd) ?? cwd,
    logging: { level: values.log_level, format: values.log_format },
  }
}

function mysqlOf(values: Values, cwd: string): MysqlSettings {
  return {
    ...values.db_host,
    database: values.db_database,
    user: values.db_user,
    password: values.db_pass,
    tls: { mode: values.db_tls, caFile: absolute(values.db_tls_ca, cwd) },
    connectTimeoutMs: values.db_timeout,
    readTimeoutMs: values.db_read_timeout,
    maxOpenConnections: values.db_max_open_conns || Number.POSITIVE_INFINITY,
    maxIdleConnections: values.db_max_idle_conns,
    maxIdleTimeMs: values.db_max_idle_time,
    maxLifetimeMs: values.db_max_lifetime,
    rejectReadOnly: values.db_reject_readonly,
  }
}

function archivesOf(values: Values, cwd: string) {
  const dsn = values.ch_dsn
  const path = absolute(values.avro_path, cwd)
  return {
    clickhouse: dsn === undefined ? undefined : { dsn },
    bigquery: bigQueryOf(values),
    cloudStorage: cloudStorageOf(values),
    fileAvro: path === undefined ? undefined : { path },
    googleCredentialsFile: absolute(values.GOOGLE_APPLICATION_CREDENTIALS, cwd),
  }
}

function hasAvro({ avro_path: path, gc_bucket: bucket, bq_dataset: dataset }: Values): boolean {
  return path !== undefined || bucket !== undefined || dataset !== undefined
}

function bigQueryOf(values: Values): BigQuerySettings | undefined {
  const dataset = values.bq_dataset
  if (dataset === undefined) return undefined
  return {
    projectId: values.bq_project,
    dataset,
    maxLoadsPerDay: values.bq_max_loads_per_day,
    viaBucket: values.bq_via_gcs,
    endpoint: values.bq_endpoint,
    emulatorHost: values.BIGQUERY_EMULATOR_HOST,
  }
}

function cloudStorageOf(values: Values): CloudStorageSettings | undefined {
  const bucket = values.gc_bucket
  if (bucket === undefined) return undefined
  return {
    bucket,
    project: values.gc_project,
    contentType: values.gc_content_type,
    cacheControl: values.gc_cache_control,
    endpoint: values.gc_endpoint,
    emulatorHost: values.STORAGE_EMULATOR_HOST,
  }
}

function batchesOf(values: Values): Settings['batches'] {
  return {
    bigquery: {
      minRows: values.batch_bq_min_size,
      maxRows: values.batch_bq_max_size,
      intervalMs: values.batch_bq_interval,
    },
    clickhouse: {
      minRows: values.batch_ch_min_size,
      maxRows: values.batch_ch_max_size,
      intervalMs: values.batch_ch_interval,
    },
    avro: {
      minRows: values.batch_avro_min_size,
      maxRows: values.batch_avro_max_size,
      intervalMs: values.batch_avro_interval,
    },
  }
}

function cleanupOf(values: Values, cwd: string): CleanupSettings {
  return {
    retentionDays: values.retention_days,
    maxRows: values.cleanup_batch_size,
    intervalMs: values.cleanup_default_interval,
    reducedIntervalMs: values.cleanup_reduced_interval,
    pauseMs: values.cleanup_pause,
    verify: values.cleanup_verify,
    movedIsSafe: values.avro_moved === 'ok',
    unarchived: values.unarchived,
    maxLagMs: values.cleanup_max_lag,
    replicas: values.cleanup_replicas,
    ignoredReplicas: values.cleanup_replicas_ignored,
    maxLoad: values.cleanup_max_load,
    pauseFile: absolute(values.cleanup_pause_file, cwd),
  }
}

function absolute(path: string | undefined, cwd: string): string | undefined {
  return path === undefined ? undefined : resolve(cwd, path)
}
