import { DAY_MS } from '@archiver/core'
import { optional, preset } from '../field.js'
import * as type from '../value-types.js'

/** Of `run_interval`. */
export const SHORTEST_RUN_INTERVAL_MS = 100

/** A wait that a timer can hold, with room to spare. */
const wait = type.duration(DAY_MS)
const rows = type.integer(1, 1_000_000_000)

/** Of cleanup, of the service and of every run. */
export const runningVariables = {
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
}
