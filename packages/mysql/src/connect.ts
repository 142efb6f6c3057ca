import { connect as connectSocket, type Socket } from 'node:net'
import { type Connection, type ConnectionOptions, createConnection } from 'mysql2'
import { connectionError } from './connection-errors.js'
import { pinSession } from './session.js'
import type { MySqlSettings, MySqlTls } from './settings.js'
import { watchSilence } from './silence.js'
import { streamOf } from './stream.js'
import { tlsOptions } from './tls.js'

const READ_TIMEOUT_MS = 120_000

/** The first probe of TCP keep-alive: most network devices forget a connection after minutes. */
const KEEP_ALIVE_MS = 10_000

/** Statements of one connection that stay prepared on the server. */
const PREPARED_STATEMENTS = 100

/**
 * Opens one connection. Every connection of the program is opened here: with all session variables that the program relies
 * on, a limit for the silence of each statement, and a listener for errors (whatever waits for an answer gets them too).
 *
 * @param session - further assignments of session variables, separated by commas.
 * @throws ArchiverError
 */
export async function connect(settings: MySqlSettings, session = ''): Promise<Connection> {
  const first = await tryConnect(settings, settings.tls?.mode ?? 'false')
  const connection =
    first instanceof Error && settings.tls?.mode === 'preferred' && isWithoutTls(first)
      ? await tryConnect(settings, 'false')
      : first
  if (connection instanceof Error) throw connectionError(connection, settings)
  watchSilence(connection, settings.readTimeoutMs ?? READ_TIMEOUT_MS)
  try {
    await pinSession(connection, session)
  } catch (error) {
    connection.destroy()
    throw connectionError(error as Error, settings) // a promise of the driver's rejects with errors only
  }
  return connection
}

/** Whether the connection is encrypted, so that the pool asks for what `preferred` found. */
export function isEncrypted(connection: Connection): boolean {
  // mysql2 replaces the socket by a TLSSocket.
  return (streamOf(connection) as Socket & { encrypted?: boolean }).encrypted === true
}

/** Runs one statement whose rows do not matter. */
export function run(connection: Connection, sql: string): Promise<void> {
  return new Promise((resolve, reject) => connection.query(sql, (error) => (error ? reject(error) : resolve())))
}

/**
 * Says goodbye to the server; where that does not work, the socket is closed. A server that does not close the connection
 * in its turn does not keep the process alive.
 */
export function disconnect(connection: Connection): Promise<void> {
  return new Promise((resolve) =>
    connection.end((error) => {
      if (error) connection.destroy()
      streamOf(connection).unref()
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
    // Stays for the life of the connection: an error event without a listener would end the process.
    connection.on('error', resolve)
    connection.connect((error) => resolve(error ?? connection))
  })
}

function connectionOptions(settings: MySqlSettings, mode: MySqlTls['mode']): ConnectionOptions {
  const { host, port, socketPath } = settings
  return {
    ...(socketPath ? { socketPath } : { host, port, stream: () => openSocket(host, port) }),
    database: settings.database,
    user: settings.user,
    password: settings.password,
    charset: 'utf8mb4',
    connectTimeout: settings.connectTimeoutMs ?? 10_000,
    timezone: 'Z',
    supportBigNumbers: true,
    dateStrings: true,
    // A value of type JSON is the text that the server has, not what JavaScript makes of it.
    jsonStrings: true,
    maxPreparedStatements: PREPARED_STATEMENTS,
    ...(mode === 'false' ? {} : { ssl: tlsOptions({ ...settings.tls, mode }) }),
  }
}

/** Node.js checks a certificate against `_host`, which it sets for names only: for an address it would check `localhost`. */
function openSocket(host: string, port: number): Socket {
  const socket = connectSocket({
    host,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
  })
  return Object.assign(socket, { _host: host })
}

function isWithoutTls(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === 'HANDSHAKE_NO_SSL_SUPPORT'
}
