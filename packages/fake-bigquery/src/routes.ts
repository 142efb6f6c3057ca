import type { Answer } from './api-error.js'
import { notFound } from './api-error.js'
import type { Operation } from './contract.js'
import type { Fate } from './jobs.js'
import { at, textAt } from './json.js'
import { datasetResource, tableResource } from './resources.js'
import type { ResultOptions, Service } from './service.js'

/** A request whose path was understood. */
export interface Call {
  readonly operation: Operation
  readonly project: string
  /** What the path names: job, or dataset and table. */
  readonly names: readonly string[]
  readonly query: URLSearchParams
}

const routes: readonly (readonly [string, RegExp, Operation])[] = [
  ['POST', /^\/jobs$/, 'jobs.insert'],
  ['GET', /^\/jobs$/, 'jobs.list'],
  ['GET', /^\/jobs\/([^/]+)$/, 'jobs.get'],
  ['POST', /^\/jobs\/([^/]+)\/cancel$/, 'jobs.cancel'],
  ['POST', /^\/queries$/, 'jobs.query'],
  ['GET', /^\/queries\/([^/]+)$/, 'jobs.getQueryResults'],
  ['POST', /^\/datasets$/, 'datasets.insert'],
  ['GET', /^\/datasets\/([^/]+)$/, 'datasets.get'],
  ['GET', /^\/datasets\/([^/]+)\/tables$/, 'tables.list'],
  ['POST', /^\/datasets\/([^/]+)\/tables$/, 'tables.insert'],
  ['GET', /^\/datasets\/([^/]+)\/tables\/([^/]+)$/, 'tables.get'],
  ['PATCH', /^\/datasets\/([^/]+)\/tables\/([^/]+)$/, 'tables.patch'],
  ['DELETE', /^\/datasets\/([^/]+)\/tables\/([^/]+)$/, 'tables.delete'],
]

/** With BIGQUERY_EMULATOR_HOST the Node client leaves `/bigquery/v2` out, except before uploads. */
const prefix = /^(\/upload)?(?:\/bigquery\/v2)?\/projects\/([^/]+)/

/** Undefined for what is not served. */
export function callOf(method: string, url: URL): Call | undefined {
  const [start, upload, project] = prefix.exec(url.pathname) ?? []
  if (start === undefined || project === undefined) return undefined
  const path = url.pathname.slice(start.length)
  const query = url.searchParams
  if (upload) return uploadOf(method, path, { project, query, names: [] })
  for (const [wanted, pattern, operation] of routes) {
    const found = wanted === method ? pattern.exec(path) : null
    if (found) return { operation, project, names: found.slice(1).map(decodeURIComponent), query }
  }
  return undefined
}

function uploadOf(method: string, path: string, call: Omit<Call, 'operation'>): Call | undefined {
  if (path !== '/jobs') return undefined
  if (method === 'POST') return { ...call, operation: 'jobs.upload' }
  return method === 'PUT' ? { ...call, operation: 'jobs.upload.chunk' } : undefined
}

type Handler = (service: Service, call: Call, body: unknown, fate: Fate | undefined) => Answer | Promise<Answer>

const ok = (body: unknown): Answer => ({ status: 200, body })

/** Of every operation whose body is JSON. */
export const handlers: Readonly<Record<Exclude<Operation, 'jobs.upload' | 'jobs.upload.chunk'>, Handler>> = {
  'jobs.insert': async (service, _, body, fate) =>
    ok(service.resourceOf(await service.insertJob(body, undefined, fate))),
  'jobs.list': (service, { query }) => listJobs(service, query),
  'jobs.get': (service, call) => ok(service.resourceOf(jobOf(service, call))),
  'jobs.cancel': (service, call) => {
    const job = jobOf(service, call)
    job.cancel()
    return ok({ kind: 'bigquery#jobCancelResponse', job: service.resourceOf(job) })
  },
  'jobs.query': async (service, _, body, fate) => {
    const { location, labels, timeoutMs, maxResults, formatOptions, ...query } = body as Record<string, unknown> // JSON
    const jobReference = location === undefined ? {} : { location }
    const job = await service.insertJob({ jobReference, configuration: { query, labels } }, undefined, fate)
    return service.results(job, 'bigquery#queryResponse', {
      timeoutMs: Number(timeoutMs ?? 10_000),
      start: 0,
      maxRows: Number(maxResults ?? Number.POSITIVE_INFINITY),
      useInt64Timestamp: at(formatOptions, 'useInt64Timestamp') === true,
    })
  },
  'jobs.getQueryResults': (service, call) =>
    service.results(jobOf(service, call), 'bigquery#getQueryResultsResponse', resultOptions(call.query)),
  'datasets.insert': ({ catalog, projectId }, _, body) => {
    const id = textAt(body, 'datasetReference', 'datasetId') ?? ''
    return ok(datasetResource(catalog.createDataset(id, textAt(body, 'location') ?? 'US'), projectId))
  },
  'datasets.get': ({ catalog, projectId }, { names }) => ok(datasetResource(catalog.dataset(names[0]!), projectId)),
  'tables.list': ({ catalog }, { names }) => {
    const tables = [...catalog.dataset(names[0]!).tables.values()].map((table) => tableResource(table, catalog))
    return ok({ kind: 'bigquery#tableList', tables, totalItems: tables.length })
  },
  'tables.insert': ({ catalog }, { names }, body) => {
    const id = textAt(body, 'tableReference', 'tableId') ?? ''
    return ok(tableResource(catalog.createTable(names[0]!, id, body), catalog))
  },
  'tables.get': ({ catalog }, { names }) => ok(tableResource(catalog.table(names[0]!, names[1]!), catalog)),
  'tables.patch': ({ catalog }, { names }, body) => {
    const table = catalog.table(names[0]!, names[1]!)
    catalog.patchTable(table, body)
    return ok(tableResource(table, catalog))
  },
  'tables.delete': ({ catalog }, { names }) => {
    catalog.deleteTable(names[0]!, names[1]!)
    return { status: 204 }
  },
}

function jobOf(service: Service, { names, query }: Call) {
  return service.jobs.find(names[0]!, query.get('location') ?? undefined)
}

function resultOptions(query: URLSearchParams): ResultOptions {
  return {
    timeoutMs: Number(query.get('timeoutMs') ?? 10_000),
    start: Number(query.get('pageToken') ?? 0),
    maxRows: Number(query.get('maxResults') ?? Number.POSITIVE_INFINITY),
    useInt64Timestamp: query.get('formatOptions.useInt64Timestamp') === 'true',
  }
}

/** Without `projection=full` the configuration, and with it the labels, is left out. */
function listJobs(service: Service, query: URLSearchParams): Answer {
  const states = query.getAll('stateFilter').map((state) => state.toUpperCase())
  const from = Number(query.get('minCreationTime') ?? 0)
  const to = Number(query.get('maxCreationTime') ?? Number.POSITIVE_INFINITY)
  const fitting = service.jobs.listed().filter(({ state, createdMs }) => {
    return (states.length === 0 || states.includes(state)) && createdMs >= from && createdMs <= to
  })
  const start = Number(query.get('pageToken') ?? 0)
  const end = start + Number(query.get('maxResults') ?? 50)
  const full = query.get('projection')?.toLowerCase() === 'full'
  const jobs = fitting.slice(start, end).map((job) => {
    const { configuration, etag, ...resource } = service.resourceOf(job)
    return { ...resource, state: job.state, ...(full ? { configuration } : {}) }
  })
  const more = end < fitting.length ? { nextPageToken: String(end) } : {}
  return ok({ kind: 'bigquery#jobList', jobs, ...more })
}

export function checkProject({ project }: Call, { projectId }: Service): void {
  if (project !== projectId) throw notFound(`Project ${project}`)
}
