import { maskClickHouseDsn } from '@archiver/clickhouse/dsn'
import { DAY_MS } from '@archiver/core'
import * as z from 'zod/mini'
import { checkClickHouseDsn } from './clickhouse-dsn.js'
import { notes, optional, preset, required } from './field.js'
import { masked } from './mask.js'
import { maskMysqlDsn, parseMysqlDsn } from './mysql-dsn.js'
import * as type from './value-types.js'

/** Of `run_interval`. */
export const SHORTEST_RUN_INTERVAL_MS = 100

/** A wait that a timer can hold, with room to spare. */
const wait = type.duration(DAY_MS)
const rows = type.integer(1, 1_000_000_000)
const connections = type.integer(0, 10_000)
const mysqlDsn: type.ValueType<string> = {
  name: 'DSN',

  read: (value) => {
    parseMysqlDsn(value)
    return value
  },
}
const clickHouseDsn: type.ValueType<string> = { name: 'DSN', read: checkClickHouseDsn }

/**
 * Every variable, once: its name, how it is read, its default and what is said of it. The parser, `archiver config` and
 * the documentation are all made from this.
 */
export const schema = z.object({
  db_host: required(type.mysqlAddress, {
    group: 'MySQL',
    description:
      'Server: `host`, `host:port` (3306 by default), `[::1]:3306`, or the path of a socket. Required, unless a DSN says it.',
  }),
  db_database: required(type.text, { group: 'MySQL', description: 'Database. Required, unless a DSN says it.' }),
  db_user: required(type.text, { group: 'MySQL', description: 'User. Required, unless a DSN says it.' }),
  db_pass: required(type.password, {
    group: 'MySQL',
    description: 'Password. Required, unless a DSN says it; set it to nothing (`db_pass=`) for an account without one.',
    mask: () => masked,
  }),
  DATABASE_DSN: optional(mysqlDsn, {
    group: 'MySQL',
    description:
      "All of the above in the form of Go's driver: `user:pass@tcp(host:port)/db?tls=true`, or `user:pass@unix(/path)/db`. It wins over them.",
    mask: (value) => maskMysqlDsn(value, masked),
  }),
  db_tls: preset('false', type.tlsMode, {
    group: 'MySQL',
    description:
      'TLS to the server: `false`; `true` (certificate and name are verified); `skip-verify` (encrypted, not verified); `preferred` (encrypted where the server can, not verified).',
  }),
  db_tls_ca: optional(type.path, {
    group: 'MySQL',
    description: "File with the CA certificates (PEM) to verify the server with, instead of the system's.",
  }),
  db_timeout: preset('10s', wait, { group: 'MySQL', description: 'Longest wait for a connection; `0` for no limit.' }),
  db_read_timeout: preset('2m', wait, {
    group: 'MySQL',
    description:
      'Longest silence of the server while a statement waits for its answer; then the connection is replaced. `0` for no limit.',
  }),
  db_lock_prefix: preset('archiver-', type.text, {
    group: 'MySQL',
    description:
      'The lock that keeps two archivers apart is named `<prefix><database>`, and has the names that Go archivers lock beside it; each with 64 characters at most.',
  }),
  db_lock_timeout: preset('0', type.seconds, {
    group: 'MySQL',
    description: 'How long to wait for the lock: whole seconds, or a duration.',
  }),
  db_max_open_conns: preset('10', connections, {
    group: 'MySQL',
    description: 'Most connections at once; `0` for no limit.',
  }),
  db_max_idle_conns: preset('10', connections, { group: 'MySQL', description: 'Most idle connections kept.' }),
  db_max_idle_time: preset('2m', type.duration(), {
    group: 'MySQL',
    description: 'An idle connection is closed after this long; `0` for never.',
  }),
  db_max_lifetime: preset('5m', type.duration(), {
    group: 'MySQL',
    description: 'A pooled connection is closed after this long; `0` for never.',
  }),
  db_charset: preset('utf8mb4', type.pattern(/^\w+(?:,\w+)*$/, 'the name of a character set'), {
    group: 'MySQL',
    description:
      'Accepted, without effect: the connection always uses `utf8mb4`, as another character set would lose characters.',
  }),
  db_reject_readonly: preset('true', type.boolean, {
    group: 'MySQL',
    description: 'Refuse a server that is read-only.',
  }),
  db_timezone: preset('UTC', type.timezone, {
    group: 'MySQL',
    description: 'Accepted, without effect: the session is always at `+00:00`, as `ts` is in UTC.',
  }),
  db_parse_time: preset('true', type.boolean, { group: 'MySQL', description: 'Accepted, without effect.' }),

  app_default_table: preset('log_scores', type.table, {
    group: 'Application',
    description: 'Table to archive when `-t` names no other.',
  }),
  app_valid_tables: preset('log_scores,log_scores_archive,log_scores_test', type.tables, {
    group: 'Application',
    description: 'Tables that may be archived: letters, digits and underscores, 49 characters at most.',
  }),
  retention_days: preset('15', type.integer(1, 36_500), {
    group: 'Application',
    description: 'Cleanup deletes archived rows older than this.',
  }),
  retention_days_default: preset('14', type.integer(1, 36_500), {
    group: 'Application',
    description: 'Accepted, without effect: `retention_days` always has a value.',
  }),
  app_version: optional(type.text, {
    group: 'Application',
    description: 'Accepted, without effect: the program knows its own version.',
  }),

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

  cleanup_default_interval: preset('4m', type.duration(), { group: 'Cleanup', description: 'Time between two runs.' }),
  cleanup_batch_size: preset('200000', rows, { group: 'Cleanup', description: 'Most rows deleted in a run.' }),
  cleanup_reduced_interval: preset('1m', type.duration(), {
    group: 'Cleanup',
    description: 'Time between two runs when the last one was full.',
  }),
  cleanup_fake_interval: preset('10m', type.duration(), {
    group: 'Cleanup',
    description: "Accepted, without effect: the interval of the Go program's stand-in archiver.",
  }),
  cleanup_pause: preset('50ms', wait, { group: 'Cleanup', description: 'Pause between two transactions.' }),
  cleanup_verify: preset('count', type.choice('count', 'rows', 'off'), {
    group: 'Cleanup',
    description:
      'How each archive is asked before rows are deleted: `count` (rows, ids, servers and times), `rows` (every column), `off` (not at all).',
  }),
  avro_moved: preset('no', type.choice('no', 'ok'), {
    group: 'Cleanup',
    description: '`ok`: Avro files or objects that were moved away count as safe without being asked.',
  }),
  unarchived: preset('', type.acknowledged, {
    group: 'Cleanup',
    description:
      'Columns, and keys of `attributes`, that no archive keeps and that may be lost, with commas; `ok` for all. Rows that have any other are not deleted.',
  }),
  cleanup_max_lag: preset('1m', wait, {
    group: 'Cleanup',
    description: 'Nothing is deleted while a replica is further behind; `0` looks at none.',
  }),
  cleanup_replicas: preset('', type.servers, {
    group: 'Cleanup',
    description: 'Replicas to look at, `host` or `host:port`, with commas; without them those that MySQL knows of.',
  }),
  cleanup_replicas_ignored: preset('', type.names, {
    group: 'Cleanup',
    description:
      'Replicas that MySQL knows of and that do not count, `host`, `host:port` or `server_id=17`, with commas. Any other that cannot be asked stops the cleaner.',
  }),
  cleanup_max_load: preset('0', type.integer(0, 1_000_000), {
    group: 'Cleanup',
    description:
      'Nothing is deleted while more threads than this run in MySQL (`Threads_running`); `0` for any number.',
  }),
  cleanup_pause_file: optional(type.path, {
    group: 'Cleanup',
    description: 'Nothing is deleted while this file is there.',
  }),

  run_interval: preset('10s', type.duration(DAY_MS, SHORTEST_RUN_INTERVAL_MS), {
    group: 'Running',
    description: '`archiver run`: time between two looks at what there is to do, from `100ms`.',
  }),
  wait: optional(type.pause, {
    group: 'Running',
    description:
      "`archive-continuously` only: time between two passes in seconds, as the Go program's loop reads it (docs/moving-from-go.md). `run_interval` wins over it.",
  }),
  run_concurrency: preset('1', type.integer(1, 100), {
    group: 'Running',
    description: '`archiver run`: how many archivers may read MySQL at once.',
  }),
  http_listen: preset(':5000', type.listenAddress, {
    group: 'Running',
    description:
      '`archiver run`: where health, metrics and status are answered: `:5000`, `127.0.0.1:5000`, `[::1]:5000`; `off` for nowhere.',
  }),
  http_allowed_hosts: preset('', type.hostNames, {
    group: 'Running',
    description:
      'Host names that a request may give, with commas, where `http_listen` or `serve --listen` is a loopback address: those of a proxy on this machine. `localhost` and the loopback addresses always may.',
  }),
  http_details: preset('basic', type.choice('basic', 'full'), {
    group: 'Running',
    description: '`full`: the page and its endpoints also name the accounts of MySQL, as the log does.',
  }),
  runbook_url: optional(type.pattern(/^https?:\/\/\S{1,500}$/, 'an address such as https://host/runbook/'), {
    group: 'Running',
    description:
      'Where the pages of docs/runbook are published: the page links each error code to `runbook_url` + code. Without it the page names the file.',
  }),
  status_late_after: optional(wait, {
    group: 'Running',
    description:
      'An archiver is late when enough rows for a batch wait, and the oldest of them for longer than this; without it three of its intervals, but at least three of `run_interval` and a minute.',
  }),
  archive_settle: preset('3s', wait, {
    group: 'Running',
    description: 'A gap in the ids counts as permanent once it has been seen empty for this long.',
  }),
  archive_takeover_wait: preset('2s', wait, {
    group: 'Running',
    description:
      'Wait before looking at what an interrupted ClickHouse insert or BigQuery load left: an accepted request may not have started yet.',
  }),
  archive_expires: preset('no', type.choice('no', 'ok'), {
    group: 'Running',
    description:
      '`ok`: a table that drops rows with time (a TTL in ClickHouse, an expiration in BigQuery) is accepted as an archive.',
  }),
  spool_path: optional(type.path, {
    group: 'Running',
    description:
      "Folder for the batch that is on its way to BigQuery or Cloud Storage, 40 bytes a row; without it the system's for temporary files.",
  }),
  quarantine_path: optional(type.path, {
    group: 'Running',
    description:
      'Folder for the rows that `archiver skip` takes out, `TABLE-skipped.ndjson`; without it avro_path, else the working directory.',
  }),
  shutdown_timeout: preset('25s', wait, {
    group: 'Running',
    description: 'Time to finish the batch in hand after SIGTERM.',
  }),
  log_level: preset('info', type.choice('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'), {
    group: 'Running',
    description: 'Least level that is logged.',
  }),
  log_format: preset('auto', type.choice('auto', 'json', 'pretty'), {
    group: 'Running',
    description: 'Form of the log; `auto` is `pretty` on a terminal, `json` elsewhere.',
  }),
})

/** Every variable's value, read. */
export type Values = z.infer<typeof schema>
export type VariableName = keyof Values
/** The values that could be read; a variable that could not is missing. */
export type ReadableValues = { [Name in VariableName]?: Values[Name] | undefined }

// Object.keys() forgets the keys' type.
export const variableNames = Object.keys(schema.shape) as VariableName[]

/** Whether text names a variable. */
export function isVariable(name: string): name is VariableName {
  return Object.hasOwn(schema.shape, name)
}

/** The notes of a variable. */
export function notesOf(name: VariableName) {
  const found = notes.get(schema.shape[name])
  if (found === undefined) throw new Error(`the variable ${name} has no notes`)
  return found
}
