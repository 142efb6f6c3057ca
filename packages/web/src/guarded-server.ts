import { once } from 'node:events'
import type { Server } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { Connections } from './connections.js'
import { LIMITS, type Limits } from './limits.js'
import { listenOn } from './listen.js'
import { Refusals } from './refusals.js'
import type { Route } from './routes.js'
import { type AlsoAnswer, createGuardedServer } from './server.js'

export interface GuardedServerOptions {
  /** `:5000`, `127.0.0.1:5000`, `[::1]:5000`. */
  readonly listen: string
  /** The setting or the option that says so, for errors. Default `http_listen`. */
  readonly setting?: string
  /** Something to look at that stops nothing: a request that was refused, too many connections. */
  readonly warn: (text: string) => void
  readonly routes?: ReadonlyMap<string, Route>
  /** Answers requests for other paths; false where it leaves one untouched. It never rejects. */
  readonly alsoAnswer?: AlsoAnswer
  /** Names of this machine, for a server on the loopback: see {@link isOwnHost}. Default none. */
  readonly hostNames?: readonly string[]
  /** Answers that are under way at the end have so long. Default 0. */
  readonly graceMs?: number
  readonly limits?: Partial<Limits>
}

export interface GuardedServer extends AsyncDisposable {
  readonly port: number
}

/**
 * The one kind of HTTP server of this program: read-only, bounded in bytes, connections and time. `archiver run` adds the
 * page, the metrics and the events to it.
 *
 * @throws ArchiverError (HTTP_LISTEN_BAD, HTTP_PORT_TAKEN) where the address cannot be had.
 */
export async function startGuardedServer(options: GuardedServerOptions): Promise<GuardedServer> {
  const { listen, setting, warn, routes = new Map(), alsoAnswer, hostNames = [], graceMs = 0 } = options
  const limits = { ...LIMITS, ...options.limits }
  await using parts = new AsyncDisposableStack()
  const refusals = parts.use(new Refusals({ warn, count: () => undefined }))
  const connections = new Connections(limits.connections, (socket) =>
    refusals.add('connections', String(socket.remoteAddress)),
  )
  const server = createGuardedServer({ routes, limits, refusals, connections, alsoAnswer, hostNames })
  parts.defer(() => endServer(server, graceMs))
  const port = await listenOn(server, listen, setting)
  const all = parts.move()
  return { port, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

/** Accepts nothing more, and cuts off what is open after `graceMs`. */
export async function endServer(server: Server, graceMs = 0): Promise<void> {
  if (!server.listening) return
  const closed = once(server, 'close')
  server.close()
  const over = new AbortController()
  if (graceMs > 0)
    await Promise.race([closed, delay(graceMs, undefined, { signal: over.signal }).catch(() => undefined)])
  over.abort()
  server.closeAllConnections()
  await closed
}
