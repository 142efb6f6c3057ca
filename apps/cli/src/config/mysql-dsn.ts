import { nearestName } from './nearest.js'
import { UnfitValue } from './problem.js'
import { readBoolean, readDuration, readInteger } from './value-types.js'

/** A data source name of Go's MySQL driver, taken apart. */
export interface MysqlDsn {
  readonly user: string
  /** Empty for none. */
  readonly password: string
  /** As `db_host` takes it: `host`, `host:port`, or a socket's path. */
  readonly address: string
  readonly database: string
  /** Only known ones; values decoded. */
  readonly parameters: ReadonlyMap<string, string>
}

const shape = 'the form is user:password@tcp(host:3306)/database?tls=true or user:password@unix(/path)/database'
const defaultAddress: Readonly<Record<string, string>> = { tcp: '127.0.0.1:3306', unix: '/tmp/mysql.sock' }

const anything = () => undefined
/** The driver's own parameters and what their values must look like; those that mean something here, with the variable that does the same. */
const known: Readonly<Record<string, { readonly check: (value: string) => unknown; readonly variable?: string }>> = {
  charset: { check: anything, variable: 'db_charset' },
  loc: { check: anything, variable: 'db_timezone' },
  parseTime: { check: readBoolean, variable: 'db_parse_time' },
  rejectReadOnly: { check: readBoolean, variable: 'db_reject_readonly' },
  timeout: { check: readDuration, variable: 'db_timeout' },
  tls: { check: anything, variable: 'db_tls' },
  allowAllFiles: { check: readBoolean },
  allowCleartextPasswords: { check: readBoolean },
  allowFallbackToPlaintext: { check: readBoolean },
  allowNativePasswords: { check: readBoolean },
  allowOldPasswords: { check: readBoolean },
  checkConnLiveness: { check: readBoolean },
  clientFoundRows: { check: readBoolean },
  collation: { check: anything },
  columnsWithAlias: { check: readBoolean },
  compress: { check: readBoolean },
  connectionAttributes: { check: anything },
  interpolateParams: { check: readBoolean },
  maxAllowedPacket: { check: readInteger },
  multiStatements: { check: readBoolean },
  readTimeout: { check: readDuration },
  time_zone: { check: anything },
  timeTruncate: { check: readDuration },
  tinyInt1IsBool: { check: readBoolean },
  writeTimeout: { check: readDuration },
}

/**
 * Reads `user:password@tcp(host:port)/database?parameters` as Go's driver does: the last `/` ends the address, the last
 * `@` before it ends the password, the first `:` ends the user; so a password may hold any of `@:/?#%` as it is.
 *
 * A parameter the driver has no name for is refused, where the driver would send it as a session variable: `tsl=true`
 * must not end in an unencrypted connection.
 *
 * @throws UnfitValue without any part of the text but the name of an unknown parameter.
 */
export function parseMysqlDsn(text: string): MysqlDsn {
  const slash = text.lastIndexOf('/')
  if (slash < 0) throw new UnfitValue('has no slash before the name of the database', shape)
  const at = text.lastIndexOf('@', slash - 1)
  const address = parseNetwork(text.slice(slash > 0 ? at + 1 : 0, slash))
  const [user, password] = cut(text.slice(0, Math.max(at, 0)), ':')
  const [database, query] = cut(text.slice(slash + 1), '?')
  return {
    user,
    password,
    address,
    database: decode(database, 'name of the database'),
    parameters: parseParameters(query),
  }
}

function parseNetwork(text: string): string {
  const [network, rest] = cut(text, '(')
  const fallback = defaultAddress[network || 'tcp']
  if (fallback === undefined) throw new UnfitValue('names a network other than tcp and unix', shape)
  if (network === text) return fallback
  if (rest.endsWith(')')) return rest.slice(0, -1) || fallback
  if (rest.includes(')')) throw new UnfitValue('has a slash in a parameter', 'write %2F for it')
  throw new UnfitValue('has an address without its closing bracket', shape)
}

function parseParameters(query: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>()
  for (const pair of query.split('&')) {
    const [name, raw] = cut(pair, '=')
    if (!pair.includes('=')) continue
    const parameter = known[name]
    if (parameter === undefined) throw unknownParameter(name)
    const value = decode(raw.replaceAll('+', ' '), `parameter ${name}`)
    checkParameter(name, value, parameter.check)
    parameters.set(name, value)
  }
  return parameters
}

function checkParameter(name: string, value: string, check: (value: string) => unknown): void {
  try {
    check(value)
  } catch (error) {
    throw new UnfitValue(`has a parameter ${name} that ${error instanceof Error ? error.message : 'does not fit'}`)
  }
}

function unknownParameter(name: string): UnfitValue {
  const near = nearestName(name, Object.keys(known))
  const hint = near === undefined ? 'session variables cannot be set here' : `did you mean ${near}?`
  return new UnfitValue(`has the unknown parameter ${JSON.stringify(name)}`, hint)
}

function cut(text: string, separator: string): [before: string, after: string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)]
}

function decode(text: string, what: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new UnfitValue(`has a per cent sign in its ${what} that is not followed by two hexadecimal digits`)
  }
}

/** What a DSN says, as the variables that say the same: all four of the connection, empty where the DSN leaves them out. */
export function variablesOfDsn({
  user,
  password,
  address,
  database,
  parameters,
}: MysqlDsn): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {
    db_host: address,
    db_database: database,
    db_user: user,
    db_pass: password,
  }
  for (const [name, value] of parameters) {
    const variable = known[name]?.variable
    if (variable !== undefined && value !== '') variables[variable] = value
  }
  return variables
}

/** A DSN without its password; nothing of one that cannot be read. */
export function maskMysqlDsn(text: string, mask: string): string {
  try {
    const { password } = parseMysqlDsn(text)
    if (password === '') return text
    const start = text.indexOf(':') + 1
    return text.slice(0, start) + mask + text.slice(start + password.length)
  } catch {
    return mask
  }
}
