import { DAY_MS } from '@archiver/core'
import { optional, preset, required } from '../field.js'
import { masked } from '../mask.js'
import { maskMysqlDsn, parseMysqlDsn } from '../mysql-dsn.js'
import * as type from '../value-types.js'

/** A wait that a timer can hold, with room to spare. */
const wait = type.duration(DAY_MS)
const connections = type.integer(0, 10_000)
const mysqlDsn: type.ValueType<string> = {
  name: 'DSN',

  read: (value) => {
    parseMysqlDsn(value)
    return value
  },
}

/** Of the source's database, and of the tables. */
export const databaseVariables = {
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
}
