import { ArchiverError, type ErrorPlace, errorText } from '@archiver/core'
import { denied } from './connection-errors.js'

/** Codes after which the same statement may succeed later. */
const TRANSIENT = new Set([
  'ER_LOCK_DEADLOCK',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_LOCK_NOWAIT',
  'ER_CHECKREAD',
  'ER_SERVER_SHUTDOWN',
  'ER_NEW_ABORTING_CONNECTION',
  'ER_CLIENT_INTERACTION_TIMEOUT',
  'ER_QUERY_INTERRUPTED',
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

/** What to do about some errors of the server. */
const HINTS: Readonly<Record<string, string>> = {
  ER_LOCK_WAIT_TIMEOUT:
    'Another session holds the row or the table (LOCK TABLES, FLUSH TABLES WITH READ LOCK, DDL): see show processlist.',
  ER_MAX_PREPARED_STMT_COUNT_REACHED: 'Raise max_prepared_stmt_count on the server.',
  ER_QUERY_INTERRUPTED: 'Somebody ended the statement with KILL, or the server did. Run the command again.',
}

/** MariaDB's answer to a statement whose connection is killed; the driver has no name for it. */
const CONNECTION_KILLED = 1927

/** Whether the statement came too late on a connection that was lost before; the driver has no code for that. */
function isClosed(thrown: unknown): boolean {
  const { code, fatal } = (thrown ?? {}) as { code?: string; fatal?: boolean }
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

/** Whether the server, or a transaction, takes no writes. */
export function isReadOnly(thrown: unknown): boolean {
  return READ_ONLY.has((thrown as NodeJS.ErrnoException | undefined)?.code ?? '')
}

/** A failed statement as an {@link ArchiverError}; one that already is stays as it is. */
export function statementError(thrown: unknown, doing: string, place: ErrorPlace): ArchiverError {
  if (thrown instanceof ArchiverError) return thrown
  const mysqlCode = thrown instanceof Error ? ((thrown as NodeJS.ErrnoException).code ?? '') : ''
  if (isReadOnly(thrown)) {
    const hint = 'The server is read-only (a replica?): point db_host at the primary.'
    return new ArchiverError(`${doing}: ${errorText(thrown)}`, {
      code: 'MYSQL_READ_ONLY',
      hint,
      cause: thrown,
      ...place,
    })
  }
  if (isDenied(thrown)) {
    const hint = ownTableHint(thrown)
    return new ArchiverError(`${doing}: ${errorText(thrown)}`, { ...denied(''), ...hint, cause: thrown, ...place })
  }
  const killed = (thrown as { errno?: number } | undefined)?.errno === CONNECTION_KILLED
  const hint = isClosed(thrown) || killed ? 'Run the command again.' : HINTS[mysqlCode]
  const why = isClosed(thrown) ? 'the server or a network device closed the connection' : errorText(thrown)
  return new ArchiverError(`${doing}: ${why}`, {
    code: 'MYSQL_STATEMENT',
    ...(hint === undefined ? {} : { hint }),
    retryable: TRANSIENT.has(mysqlCode) || isClosed(thrown) || killed,
    cause: thrown,
    ...place,
  })
}
