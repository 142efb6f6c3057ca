import { resolve } from 'node:path'
import type { BatchPolicy } from '@archiver/core'
import type { MysqlAddress } from './mysql-address.js'
import type { TableChoice } from './table-name.js'
import type { Values, VariableName } from './variables.js'

/** What `connect` and `connectPool` of @archiver/core/mysql take, and what the lock's holder needs to know. */
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
  readonly charset: string
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
  readonly fakeIntervalMs: number
}

/** Everything the program can be told, checked. An archive that is not configured is undefined. */
export interface Settings {
  readonly mysql: MysqlSettings
  readonly lock: { readonly prefix: string; readonly timeoutMs: number }
  readonly tables: TableChoice
  readonly clickhouse: { readonly dsn: string } | undefined
  readonly bigquery: { readonly project: string; readonly dataset: string } | undefined
  readonly cloudStorage:
    | { readonly bucket: string; readonly project: string; readonly contentType: string; readonly cacheControl: string }
    | undefined
  /** The path is absolute; whether it exists is for the adapter to see. */
  readonly fileAvro: { readonly path: string } | undefined
  /** Absolute; for BigQuery and Cloud Storage. */
  readonly googleCredentialsFile: string | undefined
  readonly avroCodec: Values['avro_codec']
  readonly avroBlockRows: number
  readonly batches: { readonly bigquery: BatchPolicy; readonly clickhouse: BatchPolicy; readonly avro: BatchPolicy }
  readonly cleanup: CleanupSettings
  readonly settleMs: number
  readonly takeoverWaitMs: number
  readonly shutdownTimeoutMs: number
  /** Absolute. Where skipped rows are written. */
  readonly quarantinePath: string
  readonly logging: { readonly level: Values['log_level']; readonly format: Values['log_format'] }
  /** `default`, `not set`, `environment`, `--config FILE`, `DATABASE_DSN` or the path of a `database.yaml`. */
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
    batches: batchesOf(values),
    cleanup: cleanupOf(values),
    settleMs: values.archive_settle,
    takeoverWaitMs: values.archive_takeover_wait,
    shutdownTimeoutMs: values.shutdown_timeout,
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
    charset: values.db_charset.split(',', 1).join(),
    maxOpenConnections: values.db_max_open_conns || Number.POSITIVE_INFINITY,
    maxIdleConnections: values.db_max_idle_conns,
    maxIdleTimeMs: values.db_max_idle_time,
    maxLifetimeMs: values.db_max_lifetime,
    rejectReadOnly: values.db_reject_readonly,
  }
}

function archivesOf(values: Values, cwd: string) {
  const { ch_dsn: dsn, bq_dataset: dataset, gc_bucket: bucket } = values
  const path = absolute(values.avro_path, cwd)
  const { bq_project, gc_project, gc_content_type, gc_cache_control } = values
  return {
    clickhouse: dsn === undefined ? undefined : { dsn },
    bigquery: dataset === undefined ? undefined : { project: bq_project, dataset },
    cloudStorage:
      bucket === undefined
        ? undefined
        : { bucket, project: gc_project, contentType: gc_content_type, cacheControl: gc_cache_control },
    fileAvro: path === undefined ? undefined : { path },
    googleCredentialsFile: absolute(values.GOOGLE_APPLICATION_CREDENTIALS, cwd),
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

function cleanupOf(values: Values): CleanupSettings {
  return {
    retentionDays: values.retention_days,
    maxRows: values.cleanup_batch_size,
    intervalMs: values.cleanup_default_interval,
    reducedIntervalMs: values.cleanup_reduced_interval,
    fakeIntervalMs: values.cleanup_fake_interval,
  }
}

function absolute(path: string | undefined, cwd: string): string | undefined {
  return path === undefined ? undefined : resolve(cwd, path)
}
