import { dsnError } from './dsn-error.js'
import { applyParameters, type Draft } from './dsn-parameters.js'
import type { ClickHouseServers, ClickHouseTarget, EmbeddedClickHouse } from './target.js'

/**
 * Reads `ch_dsn`: the forms that the Go drivers know (lists of hosts, v1's and v2's parameters), `http://`, `https://`,
 * and `chdb:///absolute/path` for the embedded engine.
 *
 * `tcp://` and `clickhouse://` mean HTTP on port 8123 of the same hosts (`secure=true`: https on 8443), whatever port is
 * written; `http_port=` says otherwise.
 *
 * @throws ArchiverError (`CLICKHOUSE_DSN`) naming the part at fault, never the password.
 */
export function parseClickHouseDsn(dsn: string): ClickHouseTarget {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?$/i.exec(dsn.trim())
  if (!match) throw dsnError('not of the form scheme://user:password@host/database?parameters')
  const [, scheme, authority, path, query] = match
  if (path!.includes('@')) throw dsnError('a user or password with / ? or # needs them as %2F %3F %23')
  const draft = startDraft(scheme!.toLowerCase(), authority!)
  if (draft.scheme === 'chdb') return embedded(draft, authority!, path!, query)
  draft.database = decoded(path!.replace(/^\//, ''), 'the database')
  applyParameters(draft, new URLSearchParams(query ?? ''))
  return servers(draft)
}

/** The DSN for logs: `***` in place of the password, also where the host after it was forgotten. */
export function maskClickHouseDsn(dsn: string): string {
  if (!dsn.includes('://')) return '***'
  const password = dsn.includes('@')
    ? /^([a-z][a-z0-9+.-]*:\/\/[^:@/?#]*):.*@/is
    : /^([a-z][a-z0-9+.-]*:\/\/[^:/?#[]*):(?!\d+(?:[,/?#]|$))[^/?#]*/i
  const end = dsn.includes('@') ? ':***@' : ':***'
  return dsn.replace(password, `$1${end}`).replace(/([?&]password=)[^&#]*/gi, '$1***')
}

function startDraft(scheme: string, authority: string): Draft {
  if (!['tcp', 'clickhouse', 'http', 'https', 'chdb'].includes(scheme)) {
    throw dsnError(`the scheme ${scheme}:// is not one of tcp, clickhouse, http, https, chdb`)
  }
  const at = authority.lastIndexOf('@')
  const [username, password] = credentials(authority.slice(0, Math.max(at, 0)))
  const hosts = authority.slice(at + 1)
  return {
    scheme,
    hosts: hosts === '' ? [] : hosts.split(','),
    username,
    password,
    database: '',
    secure: scheme === 'https',
    httpPort: undefined,
    httpPath: '',
    skipVerify: false,
    compression: 'none',
    dialTimeoutMs: 10_000,
    requestTimeoutMs: 300_000,
    settings: {},
  }
}

function credentials(text: string): [username: string, password: string] {
  const colon = text.indexOf(':')
  if (colon < 0) return [decoded(text, 'the user'), '']
  return [decoded(text.slice(0, colon), 'the user'), decoded(text.slice(colon + 1), 'the password')]
}

function decoded(text: string, part: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw dsnError(`${part} has a % that is not followed by two hexadecimal digits (%25 stands for %)`)
  }
}

function servers(draft: Draft): ClickHouseServers {
  if (draft.hosts.length === 0) throw dsnError('no host is named')
  if (draft.scheme === 'http' && draft.secure) throw dsnError('http:// with secure=true; write https://')
  if (draft.database.includes('/')) throw dsnError(`the database ${draft.database} has a /`)
  const { username, password, database, httpPath, skipVerify, compression } = draft
  const { dialTimeoutMs, requestTimeoutMs, settings } = draft
  return {
    kind: 'servers',
    urls: draft.hosts.map((host) => urlOf(host, draft)),
    username: username || 'default',
    password,
    database: database || 'default',
    httpPath,
    skipVerify,
    compression,
    dialTimeoutMs,
    requestTimeoutMs,
    settings,
  }
}

function urlOf(host: string, { scheme, secure, httpPort }: Draft): string {
  const match = /^(\[[0-9a-f:.%]+\]|[a-z0-9._-]+)(?::(\d+))?$/i.exec(host)
  const named = match?.[2] === undefined ? undefined : Number(match[2])
  if (!match || (named !== undefined && (named < 1 || named > 65_535))) {
    // Where the host was forgotten (tcp://user:password/db), what follows the colon is a password.
    throw dsnError(
      host === '' ? 'an empty name in the list of hosts' : `${host.replace(/:.*/s, ':***')} is not host or host:port`,
    )
  }
  const own = scheme.startsWith('http') ? named : undefined
  return `${secure ? 'https' : 'http'}://${match[1]}:${httpPort ?? own ?? (secure ? 8443 : 8123)}`
}

function embedded(draft: Draft, authority: string, path: string, query: string | undefined): EmbeddedClickHouse {
  if (authority !== '' || !/^\/./.test(path)) {
    throw dsnError('chdb:// takes an absolute path and no host: chdb:///var/lib/archive')
  }
  applyParameters(draft, new URLSearchParams(query ?? ''))
  const { database, settings } = draft
  return { kind: 'embedded', path: decoded(path, 'the path'), database: database || 'default', settings }
}
