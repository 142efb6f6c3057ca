import { schemas } from './openapi-schemas.js'

const ref = (name: keyof typeof schemas) => ({ $ref: `#/components/schemas/${name}` })

function answer(description: string, type: string, schema: object) {
  return { description, content: { [type]: { schema } } }
}

function get(operationId: string, summary: string, responses: object) {
  return { get: { operationId, summary, responses } }
}

const line = { type: 'string', description: 'One line.' }

/** OpenAPI 3.1. */
const openApiDocument = {
  openapi: '3.1.0',
  info: {
    title: 'NTP Pool archiver',
    version: '1',
    description:
      'What a running archiver tells of itself. Read-only; answered from memory. Members may be added; none is taken ' +
      'away or changes its meaning while the version stays.',
    license: { name: 'MIT', identifier: 'MIT' },
  },
  servers: [{ url: '/' }],
  paths: {
    '/api/status': get('getStatus', 'What `archiver status --json` prints.', {
      200: answer('The status.', 'application/json', ref('ServiceStatus')),
    }),
    '/api/history': get('getHistory', 'The last hours, oldest first.', {
      200: answer('The samples.', 'application/json', { type: 'array', items: ref('HistorySample') }),
    }),
    '/events': get('getEvents', 'The status as it changes, as server-sent events: `status`, `sample` and `beat`.', {
      200: answer('Does not end.', 'text/event-stream', { type: 'string' }),
      503: answer('Too many listen already.', 'text/plain', line),
    }),
    '/healthz': get('getHealth', 'Whether the process lives.', { 200: answer('It does.', 'text/plain', line) }),
    '/__health': get('getHealthAsInThePool', 'The same as `/healthz`.', {
      200: answer('It does.', 'text/plain', line),
    }),
    '/readyz': get('getReadiness', 'Whether it leads or stands by, and MySQL answers.', {
      200: answer('Ready, and the role.', 'text/plain', line),
      503: answer('Not ready: why, and what to do.', 'text/plain', line),
    }),
    '/metrics': get('getMetrics', 'Metrics for Prometheus, in its text format.', {
      200: answer('See docs/metrics.md.', 'text/plain', { type: 'string' }),
    }),
  },
  components: { schemas },
} as const

/** Paths of an OpenAPI document, by path. */
export type OpenApiPaths = Readonly<Record<string, object>>

/** The document, and in it what is answered beside the service's own paths. */
export function openApiWith(others: OpenApiPaths) {
  return { ...openApiDocument, paths: { ...openApiDocument.paths, ...others } }
}
