import { parseListen } from '@archiver/web/listen'

/**
 * Where a service that listens on `listen` is reached from its own host. Null where it cannot be told: nowhere, or a port
 * that it chooses itself.
 *
 * @throws ArchiverError (HTTP_LISTEN_BAD)
 */
export function serviceUrl(listen: string): string | null {
  if (listen === '') return null
  const { host, port } = parseListen(listen)
  if (port === 0) return null
  const address = host === undefined || host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`
}
