import { once } from 'node:events'
import type { Server } from 'node:http'
import type { ServiceView } from '@archiver/service'
import { Connections } from './connections.js'
import { LIMITS, type Limits } from './limits.js'
import { listenOn } from './listen.js'
import { LivePages } from './live.js'
import { Metrics } from './metrics/metrics.js'
import { Refusals } from './refusals.js'
import { createRoutes } from './routes.js'
import { type AlsoAnswer, createGuardedServer } from './server.js'

export interface WebOptions {
  readonly view: ServiceView
  /** `:5000`, `127.0.0.1:5000`, `[::1]:5000`. */
  readonly listen: string
  /** Something to look at that stops nothing: a request that was cut off, too many connections. */
  readonly warn: (text: string) => void
  /** Answers requests for other paths; false where it leaves one untouched. It never rejects. */
  readonly alsoAnswer?: AlsoAnswer
  /** Other limits than the usual ones. */
  readonly limits?: Partial<Limits>
}

/** The service's HTTP side. */
export interface Web extends AsyncDisposable {
  /** Where it answers. */
  readonly port: number
}

/**
 * Listens; read-only, and nothing that is asked of its own paths reaches MySQL. Its end cuts off whatever is open.
 *
 * @throws ArchiverError (HTTP_LISTEN_BAD, HTTP_PORT_TAKEN) where the address cannot be had.
 */
export async function startWeb({ view, listen, warn, alsoAnswer, limits: other }: WebOptions): Promise<Web> {
  const limits = { ...LIMITS, ...other }
  await using parts = new AsyncDisposableStack()
  const refusals = parts.use(new Refusals({ warn, count: (reason) => metrics.refuse(reason) }))
  const connections = new Connections(limits.connections, (socket) =>
    refusals.add('connections', String(socket.remoteAddress)),
  )
  const live = parts.use(new LivePages(view, limits, () => refusals.add('slow-reader', '/events')))
  const sizes = { connections: () => connections.size, liveClients: () => live.size }
  const metrics = parts.use(new Metrics(view, sizes))
  const routes = createRoutes(view, metrics)
  const server = createGuardedServer({ routes, live, limits, refusals, connections, metrics, alsoAnswer })
  parts.defer(() => end(server))
  const port = await listenOn(server, listen)
  const all = parts.move()
  return { port, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

async function end(server: Server): Promise<void> {
  if (!server.listening) return
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}
