import type { ServiceView } from '@archiver/service'
import { Connections } from './connections.js'
import { withoutAccounts } from './details.js'
import { endServer, type GuardedServerOptions } from './guarded-server.js'
import { LIMITS, type Limits } from './limits.js'
import { listenOn } from './listen.js'
import { LivePages } from './live.js'
import { Metrics } from './metrics/metrics.js'
import type { OpenApiPaths } from './openapi.js'
import { Refusals } from './refusals.js'
import { createRoutes } from './routes.js'
import { createGuardedServer } from './server.js'

export interface WebOptions
  extends Pick<GuardedServerOptions, 'listen' | 'warn' | 'alsoAnswer' | 'hostNames' | 'limits'> {
  readonly view: ServiceView
  /** What `alsoAnswer` answers, for the OpenAPI document. Default none. */
  readonly alsoPaths?: OpenApiPaths
  /** Names of MySQL accounts, which are left out of everything that is answered. Default none. */
  readonly hiddenUsers?: readonly string[]
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
export async function startWeb(options: WebOptions): Promise<Web> {
  const { listen, warn, alsoAnswer, alsoPaths = {}, hostNames = [], hiddenUsers } = options
  const limits: Limits = { ...LIMITS, ...options.limits }
  const view = hiddenUsers === undefined ? options.view : withoutAccounts(options.view, hiddenUsers)
  await using parts = new AsyncDisposableStack()
  const refusals = parts.use(new Refusals({ warn, count: (reason) => metrics.refuse(reason) }))
  const connections = new Connections(limits.connections, (socket) =>
    refusals.add('connections', String(socket.remoteAddress)),
  )
  const live = parts.use(new LivePages(view, limits, () => refusals.add('slow-reader', '/events')))
  const sizes = { connections: () => connections.size, liveClients: () => live.size }
  const metrics = parts.use(new Metrics(view, sizes))
  const routes = createRoutes(view, metrics, alsoPaths)
  const onAnswered = (path: string, code: number): void => metrics.answered(path, code)
  const server = createGuardedServer({
    ...{ routes, live, limits, refusals, connections, onAnswered, alsoAnswer, hostNames },
  })
  parts.defer(() => endServer(server))
  const port = await listenOn(server, listen)
  const all = parts.move()
  return { port, [Symbol.asyncDispose]: () => all.disposeAsync() }
}
