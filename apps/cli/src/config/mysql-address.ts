import { UnfitValue } from './problem.js'

/** Where a MySQL server listens. */
export interface MysqlAddress {
  readonly host: string
  readonly port: number
  /** Absolute; wins over host and port. */
  readonly socketPath?: string
}

const defaultPort = 3306
const bracketed = /^\[([0-9a-f:.]+(?:%[\w.-]+)?)\](?::([\w-]*))?$/i
const bareIpv6 = /^[0-9a-f]*:[0-9a-f.]*:[0-9a-f:.]*$/i
const hostAndPort = /^([\w.-]+)(?::([\w-]*))?$/

/**
 * Reads `host`, `host:port`, `[::1]:3306`, `[::1]`, `::1` or the absolute path of a socket; the port is 3306 by default.
 *
 * @throws UnfitValue
 */
export function parseMysqlAddress(text: string): MysqlAddress {
  if (text.startsWith('/')) return { host: 'localhost', port: defaultPort, socketPath: text }
  if (bareIpv6.test(text)) return { host: text, port: defaultPort }
  const [, host, port] = bracketed.exec(text) ?? hostAndPort.exec(text) ?? []
  if (host === undefined)
    throw new UnfitValue('is not a host, a host:port or the absolute path of a socket', hintFor(text))
  return { host, port: port === undefined ? defaultPort : parsePort(port) }
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port < 1 || port > 65_535) throw new UnfitValue('has a port that is not a number from 1 to 65535')
  return port
}

function hintFor(text: string): string | undefined {
  return /[@(]|:\/\//.test(text) ? 'a DSN goes into DATABASE_DSN' : undefined
}
