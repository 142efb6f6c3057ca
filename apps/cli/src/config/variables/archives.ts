import { maskClickHouseDsn } from '@archiver/clickhouse/dsn'
import { checkClickHouseDsn } from '../clickhouse-dsn.js'
import { optional, preset } from '../field.js'
import * as type from '../value-types.js'

const rows = type.integer(1, 1_000_000_000)
const clickHouseDsn: type.ValueType<string> = { name: 'DSN', read: checkClickHouseDsn }

/** Of each archive, and of the batches that it gets. */
export const archivesVariables = {
  ch_dsn: optional(clickHouseDsn, {
    group: 'ClickHouse',
    description:
      'ClickHouse: `tcp://user:pass@host:9000/db?secure=true`, `http(s)://…`, or `chdb:///absolute/path` for the embedded engine.',
    mask: maskClickHouseDsn,
  }),

  bq_dataset: optional(type.pattern(/^\w{1,1024}$/, 'a dataset: letters, digits and underscores'), {
    group: 'BigQuery',
    description: 'Dataset.',
  }),
  bq_project: preset('ntppool', type.text, { group: 'BigQuery', description: 'Project of the dataset.' }),
  GOOGLE_APPLICATION_CREDENTIALS: optional(type.path, {
    group: 'BigQuery',
    description:
      'File with the key of a service account, for BigQuery and Cloud Storage; without it what the machine runs as.',
  }),
  bq_max_loads_per_day: preset('1000', type.integer(1, 100_000), {
    group: 'BigQuery',
    description: "Most load jobs into a table within 24 hours. BigQuery's own quota is 1,500.",
  }),
  bq_via_gcs: preset('false', type.boolean, {
    group: 'BigQuery',
    description: 'Send files through `gc_bucket`: needed above 1 GB a batch, and where uploads break.',
  }),
  bq_endpoint: optional(type.endpoint, {
    group: 'BigQuery',
    description: 'Where BigQuery answers, if not at its public address (a private endpoint).',
  }),
  BIGQUERY_EMULATOR_HOST: optional(type.endpoint, {
    group: 'BigQuery',
    description: 'An emulator instead of BigQuery; no credentials are asked for then.',
  }),

  gc_bucket: optional(type.pattern(/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/, 'the name of a bucket (without gs://)'), {
    group: 'Cloud Storage',
    description: 'Bucket.',
  }),
  gc_project: preset('ntppool', type.text, {
    group: 'Cloud Storage',
    description: 'Project that pays for the requests.',
  }),
  gc_content_type: preset('avro/binary', type.text, {
    group: 'Cloud Storage',
    description: 'Content type of the objects.',
  }),
  gc_cache_control: preset('public, max-age=157248000', type.text, {
    group: 'Cloud Storage',
    description: 'Cache control of the objects.',
  }),
  gc_endpoint: optional(type.endpoint, {
    group: 'Cloud Storage',
    description: 'Where Cloud Storage answers, if not at its public address (a private endpoint).',
  }),
  STORAGE_EMULATOR_HOST: optional(type.endpoint, {
    group: 'Cloud Storage',
    description: 'An emulator instead of Cloud Storage; no credentials are asked for then.',
  }),

  avro_path: optional(type.path, {
    group: 'Avro',
    description: 'Folder for Avro files; it must exist and be writable.',
  }),
  avro_codec: preset('null', type.choice('null', 'deflate', 'snappy', 'zstandard'), {
    group: 'Avro',
    description: 'Compression of the Avro files.',
  }),
  avro_schema: preset('1', type.choice('1', '2'), {
    group: 'Avro',
    description:
      'Record of the Avro files, of Cloud Storage and of BigQuery: `1`, as it has always been; `2` loses nothing (docs/archives/avro-schema-2.md).',
  }),
  batch_avro_append_size: preset('50000', type.integer(1, 1_000_000), {
    group: 'Avro',
    description: 'Rows in a block of an Avro file.',
  }),

  batch_bq_min_size: preset('200', rows, {
    group: 'Batches',
    description: 'BigQuery: no batch for fewer waiting rows.',
  }),
  batch_bq_max_size: preset('10000000', rows, { group: 'Batches', description: 'BigQuery: most rows in a batch.' }),
  batch_bq_interval: preset('10m', type.duration(), {
    group: 'Batches',
    description: 'BigQuery: least time between passes.',
  }),
  batch_ch_min_size: preset('50', rows, {
    group: 'Batches',
    description: 'ClickHouse: no batch for fewer waiting rows.',
  }),
  batch_ch_max_size: preset('500000', rows, { group: 'Batches', description: 'ClickHouse: most rows in a batch.' }),
  batch_ch_interval: preset('0ms', type.duration(), {
    group: 'Batches',
    description: 'ClickHouse: least time between passes.',
  }),
  batch_avro_min_size: preset('500000', rows, {
    group: 'Batches',
    description: 'Avro, local and Cloud Storage: no batch for fewer waiting rows.',
  }),
  batch_avro_max_size: preset('10000000', rows, {
    group: 'Batches',
    description: 'Avro, local and Cloud Storage: most rows in a batch.',
  }),
  batch_avro_interval: preset('24h', type.duration(), {
    group: 'Batches',
    description: 'Avro, local and Cloud Storage: least time between passes.',
  }),
}
