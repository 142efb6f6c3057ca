import { ArchiverError, type ErrorPlace, errorText } from '../errors.js'
import type { MySqlSettings } from './settings.js'

interface Explanation {
  readonly code: string
  readonly why: string
  readonly hint: string
  readonly retryable?: boolean
}

/** What went wrong while connecting, by the driver's code. */
const CONNECTING: Readonly<Record<string, Explanation>> = {
  ER_ACCESS_DENIED_ERROR: denied('the user or password is wrong'),
  ER_ACCESS_DENIED_NO_PASSWORD_ERROR: denied('the user or password is wrong'),
  ER_DBACCESS_DENIED_ERROR: denied('the user may not use this database'),
  ER_BAD_DB_ERROR: { code: 'MYSQL_NO_DATABASE', why: 'no such database', hint: 'Correct db_database.' },
  ENOTFOUND: { code: 'MYSQL_UNKNOWN_HOST', why: 'the host name is unknown', hint: 'Correct db_host.' },
  EAI_AGAIN: unreachable('the host name cannot be looked up now'),
  ECONNREFUSED: unreachable('nothing listens there'),
  ENOENT: { code: 'MYSQL_NO_SOCKET', why: 'the socket does not exist', hint: 'Correct db_host or start the server.' },
  ETIMEDOUT: unreachable('no answer within db_timeout'),
  ECONNRESET: unreachable('the connection was reset'),
  PROTOCOL_CONNECTION_LOST: unreachable('the server closed the connection'),
  ER_CON_COUNT_ERROR: unreachable('the server has too many connections'),
  HANDSHAKE_NO_SSL_SUPPORT: {
    code: 'MYSQL_TLS',
    why: 'the server offers no TLS',
    hint: 'Set db_tls=preferred or db_tls=false, or enable TLS on the server.',
  },
  HANDSHAKE_SSL_ERROR: {
    code: 'MYSQL_TLS',
    why: 'its certificate is not trusted',
    hint: 'Name the authority in db_tls_ca, or set db_tls=skip-verify.',
  },
}

function denied(why: string): Explanation {
  return { code: 'MYSQL_ACCESS_DENIED', why, hint: 'Check db_user, db_pass and the grants of that user.' }
}

function unreachable(why: string): Explanation {
  return { code: 'MYSQL_UNREACHABLE', why, hint: 'Check db_host and that the server runs.', retryable: true }
}

/** Why no connection could be made, in words; the password is never part of it. */
export function connectionError(error: Error, settings: MySqlSettings): ArchiverError {
  const where = settings.socketPath ?? `${settings.host}:${settings.port}`
  const known = CONNECTING[(error as NodeJS.ErrnoException).code ?? '']
  const { code, why, hint, retryable } = known ?? {
    code: 'MYSQL_CONNECT',
    why: errorText(error),
    hint: 'Check the db_ settings.',
    retryable: false,
  }
  const message = `MySQL at ${where}, database ${settings.database}, user ${settings.user}: ${why}`
  return new ArchiverError(message, { code, hint, retryable: retryable ?? false, cause: error })
}

/** Codes after which the same statement may succeed later. */
const TRANSIENT = new Set([
  'ER_LOCK_DEADLOCK',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_LOCK_NOWAIT',
  'ER_SERVER_SHUTDOWN',
  'ER_NEW_ABORTING_CONNECTION',
  'PROTOCOL_CONNECTION_LOST',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
])

const READ_ONLY = new Set([
  'ER_OPTION_PREVENTS_STATEMENT',
  'ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION',
  'ER_READ_ONLY_MODE',
])

/** Whether the statement came too late on a connection that was lost before; the driver has no code for that. */
function isClosed(thrown: unknown): boolean {
  const { code, fatal } = thrown as { code?: string; fatal?: boolean }
  return code === undefined && fatal === true
}

/** Whether the account lacks a right. */
export function isDenied(thrown: unknown): boolean {
  return /^ER_.*ACCESS_?DENIED/.test((thrown as NodeJS.ErrnoException | undefined)?.code ?? '')
}

/** Whether a foreign key refused a value because the row that it points to is not there. */
export function isMissingParent(thrown: unknown): boolean {
  const { code = '' } = (thrown as NodeJS.ErrnoException | undefined) ?? {}
  return code === 'ER_NO_REFERENCED_ROW_2' || code === 'ER_NO_REFERENCED_ROW'
}

export function isMissingTable(thrown: unknown): boolean {
  return (thrown as NodeJS.ErrnoException | undefined)?.code === 'ER_NO_SUCH_TABLE'
}

/** Without a right on a table, MySQL denies access to one that does not exist too. */
function ownTableHint(thrown: unknown): { readonly hint?: string } {
  const name = /\b\w+_archive_(?:status|batch|skip)\b/.exec(errorText(thrown))?.[0]
  if (name === undefined) return {}
  return {
    hint: `The table ${name} is missing, or db_user lacks a right on it: archiver init creates it and lists the grants.`,
  }
}

/** A failed statement as an {@link ArchiverError}; one that already is stays as it is. */
export function statementError(thrown: unknown, doing: string, place: ErrorPlace): ArchiverError {
  if (thrown instanceof ArchiverError) return thrown
  const mysqlCode = thrown instanceof Error ? ((thrown as NodeJS.ErrnoException).code ?? '') : ''
  const message = `${doing}: ${errorText(thrown)}`
  if (READ_ONLY.has(mysqlCode)) {
    const hint = 'The server is read-only (a replica?): point db_host at the primary.'
    return new ArchiverError(message, { code: 'MYSQL_READ_ONLY', hint, cause: thrown, ...place })
  }
  if (isDenied(thrown)) {
    return new ArchiverError(message, { ...denied(''), ...ownTableHint(thrown), cause: thrown, ...place })
  }
  return new ArchiverError(message, {
    code: 'MYSQL_STATEMENT',
    retryable: TRANSIENT.has(mysqlCode) || isClosed(thrown),
    cause: thrown,
    ...place,
  })
}
