import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { errorText } from '@archiver/core'
import { COMMON_HEADERS, send, text } from './answer.js'
import type { Connections } from './connections.js'
import { isLoopback, isOwnHost } from './hosts.js'
import type { Limits } from './limits.js'
import type { LivePages } from './live.js'
import type { RefusalReason, Refusals } from './refusals.js'
import { LIVE_PATH, type Route } from './routes.js'

/** Not imported: that would load a client for WebSockets too, by reading all that the module exports; 4 MB. */
const { createServer } = process.getBuiltinModule('node:http')

/** @returns whether the request was one for it, and is answered. */
export type AlsoAnswer = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>

export interface ServerParts {
  readonly routes: ReadonlyMap<string, Route>
  /** Answers {@link LIVE_PATH}. */
  readonly live?: LivePages
  readonly limits: Limits
  readonly refusals: Refusals
  readonly connections: Connections
  /** @param path - one of `routes`, {@link LIVE_PATH} or `other`. */
  readonly onAnswered?: (path: string, code: number) => void
  readonly alsoAnswer: AlsoAnswer | undefined
  /** Names that a request to a loopback address may give, beside those of the loopback itself. */
  readonly hostNames: readonly string[]
}

/** The parts, with the server that they make. */
interface Guarded extends ServerParts {
  readonly server: Server
}

/** Node's server with every door shut that it has: read-only, bounded in bytes, connections and time. */
export function createGuardedServer(parts: ServerParts): Server {
  const { limits, refusals, connections } = parts
  const server = createServer({
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.headersMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.min(1000, limits.headersMs / 2),
    keepAlive: true,
  })
  server.maxHeadersCount = 64
  server.on('connection', (socket) => connections.admit(socket))
  const guarded = { ...parts, server }
  server.on('request', (request, response) => void serve(guarded, request, response))
  server.on('checkContinue', (request, response) => void serve(guarded, request, response))
  server.on('clientError', (error, socket) => cutOff(refusals, error, socket))
  // CONNECT: without a listener Node closes the connection, uncounted.
  server.on('connect', (request, socket) => {
    refusals.add('method', whatOf(request))
    socket.destroy()
  })
  return server
}

async function serve(parts: Guarded, request: IncomingMessage, response: ServerResponse): Promise<void> {
  watch(parts, request, response)
  const refused = refusalOf(request, parts)
  if (refused !== undefined) return refuse(parts, refused, request, response)
  const path = pathOf(request)
  if (path === LIVE_PATH && parts.live !== undefined) return goLive(parts, parts.live, request, response)
  const route = parts.routes.get(path)
  if (route === undefined) {
    if (!(await parts.alsoAnswer?.(request, response))) send(response, text(404, 'Not found.'))
    return
  }
  try {
    send(response, await route())
  } catch (error) {
    parts.refusals.add('error', `${path}: ${errorText(error)}`)
    send(response, text(500, 'A defect of the archiver; its log says more.'))
  }
}

/** Marks the connection as busy until the answer is out, for `answerMs` at most; counts the answer. */
function watch(
  { connections, limits, refusals, onAnswered, routes, live }: ServerParts,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { socket } = request
  const path = pathOf(request)
  connections.asked(socket)
  const deadline = setTimeout(() => {
    refusals.add('slow-reader', whatOf(request))
    socket.destroy()
  }, limits.answerMs).unref()
  const isLive = path === LIVE_PATH && live !== undefined
  if (isLive) clearTimeout(deadline) // it does not end; its backlog is bounded instead
  response.once('close', () => {
    clearTimeout(deadline)
    connections.answered(socket)
    onAnswered?.(routes.has(path) || isLive ? path : 'other', response.statusCode)
  })
}

interface Refusal {
  readonly reason: RefusalReason
  readonly status: number
  readonly line: string
}

function refusalOf(
  { method, url = '', headers }: IncomingMessage,
  { limits, server, hostNames }: Guarded,
): Refusal | undefined {
  if (method !== 'GET' && method !== 'HEAD') return { reason: 'method', status: 405, line: 'Only GET and HEAD.' }
  if (url.length > limits.urlChars) return { reason: 'url', status: 414, line: 'The path is too long.' }
  if (isOnLoopback(server) && !isOwnHost(headers.host, hostNames)) return FOREIGN_HOST
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0
  return hasBody ? { reason: 'body', status: 413, line: 'Requests have no body here.' } : undefined
}

const FOREIGN_HOST: Refusal = {
  reason: 'host',
  status: 421,
  line: 'The host name of this request is not one of this machine. If it is, add it to http_allowed_hosts.',
}

function isOnLoopback(server: Server): boolean {
  const address = server.address() as AddressInfo | null // a TCP server has one while it listens
  return address !== null && isLoopback(address.address)
}

/** The connection ends with it: whatever follows, a body first of all, is not read. */
function refuse({ refusals }: ServerParts, refusal: Refusal, request: IncomingMessage, response: ServerResponse): void {
  refusals.add(refusal.reason, whatOf(request))
  const headers = { connection: 'close', ...(refusal.status === 405 ? { allow: 'GET, HEAD' } : {}) }
  send(response, { ...text(refusal.status, refusal.line), headers })
}

function goLive(
  { refusals, connections }: ServerParts,
  live: LivePages,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (request.method === 'HEAD') {
    response.writeHead(200, { ...COMMON_HEADERS, 'content-type': 'text/event-stream; charset=utf-8' }).end()
  } else if (live.full) {
    refusals.add('live-clients', whatOf(request))
    send(response, {
      ...text(503, 'Too many live pages; /api/status tells the same.'),
      headers: { 'retry-after': '60' },
    })
  } else {
    connections.keep(request.socket)
    live.add(response)
  }
}

/** What Node itself makes of a connection: headers too large or too slow, or no HTTP at all. */
function cutOff(refusals: Refusals, error: NodeJS.ErrnoException, socket: Duplex): void {
  const [reason, status] = clientErrors[error.code ?? ''] ?? clientErrors.other!
  if (error.code === 'ECONNRESET' || error.code === 'EPIPE' || !socket.writable) return void socket.destroy()
  refusals.add(reason, `${addressOf(socket)}: ${error.code}`)
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy())
}

const clientErrors: Readonly<Record<string, readonly [RefusalReason, string]>> = {
  HPE_HEADER_OVERFLOW: ['headers', '431 Request Header Fields Too Large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['slow-request', '408 Request Timeout'],
  other: ['malformed', '400 Bad Request'],
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1).join()
}

/** For the log: who asked for what, as text that does no harm there. */
function whatOf({ method, url, socket }: IncomingMessage): string {
  return `${addressOf(socket)}: ${method} ${JSON.stringify(url?.slice(0, 60))}`
}

function addressOf(socket: Duplex | Socket): string {
  return String('remoteAddress' in socket ? socket.remoteAddress : 'unknown')
}
