import { ArchiverError } from '@archiver/core'

const hint =
  'Forms: tcp://user:password@host:9000/database?secure=false, clickhouse://…, http(s)://host:8123/database, chdb:///absolute/path.'

/** An error about `ch_dsn`; the text must not hold the password. */
export function dsnError(message: string, cause?: unknown): ArchiverError {
  return new ArchiverError(`ch_dsn: ${message}`, { code: 'CLICKHOUSE_DSN', archiver: 'clickhouse', hint, cause })
}
