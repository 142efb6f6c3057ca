import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import {
  type Connection,
  type ConnectionOptions,
  createConnection,
  createPool,
  type Pool,
  type SslOptions,
} from 'mysql2'
import { connectionError } from './mysql-errors.js'
import type { MySqlSettings, MySqlTls } from './settings.js'

/** The longest time a timer can wait. */
const NEVER_MS = 2 ** 31 - 1

/** Sent first on every connection: all times are read and compared in UTC. */
const SESSION = "set time_zone = '+00:00'"

/** For the reads: what holes are probed at, and a lock of a range is no lock of its gaps. */
const READ_COMMITTED = 'set session transaction isolation level read committed'

/** Opens one connection with the UTC session and `session` (further `set` assignments) in force. */
export async function connect(settings: MySqlSettings, session = ''): Promise<Connection> {
  const first = await tryConnect(settings, settings.tls?.mode ?? 'false')
  const connection =
    first instanceof Error && settings.tls?.mode === 'preferred' && isWithoutTls(first)
      ? await tryConnect(settings, 'false')
      : first
  if (connection instanceof Error) throw connectionError(connection, settings)
  await run(connection, session === '' ? SESSION : `${SESSION}, ${session}`)
  return connection
}

/** A pool for so many reads of the source at once. Connections are opened when they are needed. */
export function connectPool(settings: MySqlSettings, encrypted: boolean, reads = 1): Pool {
  const pool = createPool({
    ...connectionOptions(settings, encrypted ? (settings.tls?.mode ?? 'false') : 'false'),
    // One for each read, and one for what is asked while they are under way.
    connectionLimit: Math.max(reads + 1, settings.maxOpenConnections ?? 10),
    maxIdle: settings.maxIdleConnections ?? 10,
    idleTimeout: (settings.maxIdleTimeMs ?? 120_000) || NEVER_MS,
  })
  pool.on('connection', (connection) => {
    // Queued on the new connection before whatever it was opened for. A failure shows in that command.
    for (const statement of [SESSION, READ_COMMITTED]) connection.query(statement, () => undefined)
  })
  return pool
}

/** Whether the connection is encrypted, so that the pool asks for what `preferred` found. */
export function isEncrypted(connection: Connection): boolean {
  // mysql2 replaces the socket by a TLSSocket.
  return (streamOf(connection) as Socket & { encrypted?: boolean }).encrypted === true
}

/** The connection's socket. */
export function streamOf(connection: Connection): Socket {
  return (connection as Connection & { stream: Socket }).stream // the driver's types do not name the property
}

/** Runs one statement whose rows do not matter. */
export function run(connection: Connection, sql: string): Promise<void> {
  return new Promise((resolve, reject) => connection.query(sql, (error) => (error ? reject(error) : resolve())))
}

/** Says goodbye to the server; where that does not work, the socket is closed. */
export function disconnect(connection: Connection): Promise<void> {
  return new Promise((resolve) =>
    connection.end((error) => {
      if (error) connection.destroy()
      resolve()
    }),
  )
}

/**
 * Closes the socket at once; whatever waits for an answer fails. The driver's own `destroy` leaves that waiting for ever
 * where the server does not answer any more.
 */
export function cutOff(connection: Connection): void {
  streamOf(connection).destroy(new Error('the connection was given up'))
}

function tryConnect(settings: MySqlSettings, mode: MySqlTls['mode']): Promise<Connection | Error> {
  return new Promise((resolve) => {
    const connection = createConnection(connectionOptions(settings, mode))
    connection.once('error', resolve)
    connection.connect((error) => {
      connection.off('error', resolve)
      resolve(error ?? connection)
    })
  })
}

function connectionOptions(settings: MySqlSettings, mode: MySqlTls['mode']): ConnectionOptions {
  return {
    ...(settings.socketPath ? { socketPath: settings.socketPath } : { host: settings.host, port: settings.port }),
    database: settings.database,
    user: settings.user,
    password: settings.password,
    charset: settings.charset ?? 'utf8mb4',
    connectTimeout: settings.connectTimeoutMs ?? 10_000,
    timezone: 'Z',
    supportBigNumbers: true,
    dateStrings: true,
    // A value of type JSON is the text that the server has, not what JavaScript makes of it.
    jsonStrings: true,
    ...(mode === 'false' ? {} : { ssl: tlsOptions(mode, settings.tls?.caFile) }),
  }
}

function tlsOptions(mode: MySqlTls['mode'], caFile: string | undefined): SslOptions {
  const verify = mode === 'true'
  return { rejectUnauthorized: verify, verifyIdentity: verify, ...(caFile ? { ca: readFileSync(caFile) } : {}) }
}

function isWithoutTls(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === 'HANDSHAKE_NO_SSL_SUPPORT'
}
