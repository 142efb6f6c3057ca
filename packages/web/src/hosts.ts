import { isIPv4 } from 'node:net'

/** Whether an address can be reached from its own machine alone. */
export function isLoopback(address: string): boolean {
  const plain = address.replace(/^::ffff:/i, '')
  return plain === '::1' || (isIPv4(plain) && plain.startsWith('127.'))
}

/**
 * Whether a request that came over the loopback names this machine, or one of `names`. Any page in a browser can send a
 * request to the loopback, through a name of its own that leads there (DNS rebinding), and would read the answer.
 *
 * @param header - `Host`, with a port or without; undefined where there is none, which no browser sends.
 */
export function isOwnHost(header: string | undefined, names: readonly string[]): boolean {
  if (header === undefined) return true
  const host = header
    .trim()
    .toLowerCase()
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
  return isLoopback(host) || host === 'localhost' || host.endsWith('.localhost') || names.includes(host)
}
