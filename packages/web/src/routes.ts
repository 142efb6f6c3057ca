import type { ServiceStatus, ServiceView } from '@archiver/service'
import { type Answer, json } from './answer.js'
import { healthz, readyz } from './health.js'
import type { Metrics } from './metrics/metrics.js'
import { type OpenApiPaths, openApiWith } from './openapi.js'
import { pageFiles } from './page-files.js'
import { plainStatus } from './plain-page.js'

export type Route = () => Answer | Promise<Answer>

/** The live page's events; answered by {@link LivePages}, since they do not end. */
export const LIVE_PATH = '/events'

/** What is answered, by path. Everything is in memory: no route asks MySQL, an archive or the disk for anything. */
export function createRoutes(view: ServiceView, metrics: Metrics, alsoPaths: OpenApiPaths): ReadonlyMap<string, Route> {
  return new Map<string, Route>([
    ...pageRoutes(),
    ['/', () => pageWith(view.status())],
    ['/healthz', healthz],
    // As the pool's other programs name it.
    ['/__health', healthz],
    ['/readyz', () => readyz(view.status())],
    ['/metrics', () => metrics.scrape()],
    ['/api/status', () => json(view.status())],
    ['/api/history', () => json(view.history())],
    ['/api/openapi.json', () => json(openApiWith(alsoPaths))],
  ])
}

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

function pageRoutes(): [string, Route][] {
  const files = Object.entries(pageFiles).filter(([name]) => name !== 'index.html')
  return files.map(([name, body]) => {
    const type = TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream'
    const answer = { status: 200, type, body, headers: { 'cache-control': 'no-cache' } }
    return [`/page/${name}`, () => answer]
  })
}

/** The page, with the status in it for a browser that runs no scripts. */
function pageWith(status: ServiceStatus): Answer {
  const body = (pageFiles['index.html'] ?? '').replace('<!--status-->', () => plainStatus(status, Date.now()))
  return { status: 200, type: TYPES.html!, body, headers: { 'cache-control': 'no-cache' } }
}
