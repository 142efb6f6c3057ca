import { once } from 'node:events'
import { type AddressInfo, isIPv4, isIPv6, type Server } from 'node:net'
import { ArchiverError, errorText } from '@archiver/core'

/** Where to listen. */
export interface ListenAddress {
  /** Undefined for every address of the machine. */
  readonly host: string | undefined
  /** 0 for any free one. */
  readonly port: number
}

const FORM = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[a-zA-Z0-9._-]*)):(?<port>\d{1,5})$/

/** Reads `:5000`, `127.0.0.1:5000`, `localhost:5000` or `[::1]:5000`. @throws ArchiverError (HTTP_LISTEN_BAD) */
export function parseListen(text: string, setting = 'http_listen'): ListenAddress {
  const { v6, host, port } = FORM.exec(text.trim())?.groups ?? {}
  if (port === undefined) throw bad(text, 'it is no address with a port', formHint(setting))
  if (v6 !== undefined && !isIPv6(v6)) throw bad(text, `${v6} is no IPv6 address`, formHint(setting))
  if (host !== undefined && /^[\d.]+$/.test(host) && !isIPv4(host)) {
    throw bad(text, `${host} is no IPv4 address`, formHint(setting))
  }
  if (Number(port) > 65_535) throw bad(text, 'ports end at 65535', formHint(setting))
  return { host: (v6 ?? host) || undefined, port: Number(port) }
}

/**
 * Lets the server listen there.
 *
 * @param setting - the setting or the option that says where, for errors.
 * @returns the port.
 * @throws ArchiverError (HTTP_LISTEN_BAD, HTTP_PORT_TAKEN)
 */
export async function listenOn(server: Server, text: string, setting = 'http_listen'): Promise<number> {
  const { host, port } = parseListen(text, setting)
  try {
    await once(server.listen(port, host), 'listening')
  } catch (thrown) {
    throw listenError(text, thrown, setting)
  }
  return (server.address() as AddressInfo).port // a listening TCP server has one
}

/** Why it cannot be listened there. */
function listenError(text: string, thrown: unknown, setting: string): ArchiverError {
  switch ((thrown as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return new ArchiverError(`cannot listen on ${text}: the port is taken`, {
        code: 'HTTP_PORT_TAKEN',
        hint: `Another program listens there (ss -ltnp names it), perhaps another archiver. Stop it, or set ${setting} to another port.`,
        cause: thrown,
      })
    case 'EACCES':
      return bad(text, 'this account may not', `Ports below 1024 are for root. Set ${setting} to a higher one.`, thrown)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return bad(text, 'this machine does not have that address', formHint(setting), thrown)
    default:
      return bad(text, errorText(thrown), formHint(setting), thrown)
  }
}

function formHint(setting: string): string {
  return `Set ${setting} to :5000, 127.0.0.1:5000 or [::1]:5000.`
}

function bad(text: string, why: string, hint: string, cause?: unknown): ArchiverError {
  return new ArchiverError(`cannot listen on ${JSON.stringify(text)}: ${why}`, { code: 'HTTP_LISTEN_BAD', hint, cause })
}
