import { ArchiverError, errorText } from '@archiver/core'
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
  ER_ACCESS_DENIED_NO_PASSWORD_ERROR: {
    code: 'MYSQL_AUTH_METHOD',
    why: 'the account logs in without a password, as the user of the operating system (unix_socket, auth_socket)',
    hint: 'Give the account a password: alter user … identified by …; or set db_host to the socket and run the archiver as that user.',
  },
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
  MYSQL_CLEAR_PASSWORD_NOT_ENABLED: {
    code: 'MYSQL_AUTH_METHOD',
    why: 'the account logs in with mysql_clear_password (PAM, LDAP), which sends the password as it is',
    hint: 'Use an account with caching_sha2_password or mysql_native_password.',
  },
  HANDSHAKE_NO_SSL_SUPPORT: {
    code: 'MYSQL_TLS',
    why: 'the server offers no TLS',
    hint: 'Enable TLS on the server, or check that db_host is the right server.',
  },
}

/** Why a certificate is refused, by the words of Node.js and OpenSSL, which the driver's own code hides. */
const CERTIFICATES: readonly (readonly [words: RegExp, why: string, hint: string])[] = [
  [
    /does not match certificate's altnames|Hostname\/IP/,
    'its certificate is for another name',
    'Set db_host to a name that the certificate has, or issue one for this name.',
  ],
  [/certificate has expired/, 'its certificate has expired', 'Renew the certificate on the server.'],
  [
    /certificate is not yet valid/,
    'its certificate is not valid yet',
    'Check the clocks of this machine and of the server.',
  ],
  [
    /certificate|issuer|self.signed/i,
    'its certificate is not trusted',
    'Name the file of its certificate authority in db_tls_ca.',
  ],
]

/** What to do about accounts with methods that only some clients know. */
const METHODS: Readonly<Record<string, string>> = {
  client_ed25519: 'ed25519',
  parsec: 'PARSEC',
  dialog: 'PAM or another dialog',
  auth_gssapi_client: 'GSSAPI',
  authentication_kerberos_client: 'Kerberos',
  authentication_ldap_sasl_client: 'LDAP',
  authentication_webauthn_client: 'WebAuthn',
}

export function denied(why: string): Explanation {
  return { code: 'MYSQL_ACCESS_DENIED', why, hint: 'Check db_user, db_pass and the grants of that user.' }
}

function unreachable(why: string): Explanation {
  return { code: 'MYSQL_UNREACHABLE', why, hint: 'Check db_host and that the server runs.', retryable: true }
}

/** Why no connection could be made, in words; the password is never part of it. */
export function connectionError(error: Error, settings: MySqlSettings): ArchiverError {
  if (error instanceof ArchiverError) return error
  const where = settings.socketPath ?? `${settings.host}:${settings.port}`
  const { code, why, hint, retryable = false } = explain(error, settings)
  const message = `MySQL at ${where}, database ${settings.database}, user ${settings.user}: ${why}`
  return new ArchiverError(message, { code, hint, retryable, cause: error })
}

function explain(error: Error, { password }: MySqlSettings): Explanation {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  if (code === 'HANDSHAKE_SSL_ERROR') return tls(error)
  if (code === 'AUTH_SWITCH_PLUGIN_ERROR') return authMethod(error)
  const known = CONNECTING[code]
  if (known === undefined) return { code: 'MYSQL_CONNECT', why: errorText(error), hint: 'Check the db_ settings.' }
  if (code !== 'ER_ACCESS_DENIED_ERROR' || !/[\r\n]$/.test(password)) return known
  return {
    ...known,
    why: `${known.why}; db_pass ends in a line break`,
    hint: 'Remove the line break at the end of db_pass.',
  }
}

function tls(error: Error): Explanation {
  const text = errorText(error)
  const { reason } = error as { reason?: string }
  for (const [words, why, hint] of CERTIFICATES) {
    if (words.test(text)) return { code: 'MYSQL_TLS', why: `${why} (${reason ?? text})`, hint }
  }
  return {
    code: 'MYSQL_TLS',
    why: `TLS failed: ${text}`,
    hint: 'Check the TLS settings of the server, and that this is its MySQL port.',
  }
}

function authMethod(error: Error): Explanation {
  const plugin = /unknown plugin (\w+)/.exec(error.message)?.[1]
  if (plugin === undefined) {
    return {
      code: 'MYSQL_AUTH_METHOD',
      why: errorText(error),
      hint: 'Check how the account logs in: show create user.',
    }
  }
  const name = METHODS[plugin] === undefined ? '' : ` (${METHODS[plugin]})`
  return {
    code: 'MYSQL_AUTH_METHOD',
    why: `the account logs in by ${plugin}${name}, which the archiver does not support`,
    hint: 'Use an account with caching_sha2_password, or mysql_native_password on MariaDB.',
  }
}
