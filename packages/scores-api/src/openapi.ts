const text = { type: 'string' }
const count = { type: 'integer', minimum: 1 }
/** A 64-bit number does not fit into one of JavaScript. */
const id = { type: 'string', pattern: '^[0-9]+$' }
const time = { type: 'string', description: 'A date or time in UTC, or seconds since 1970 as `@1792454400`.' }

const parameters: readonly (readonly [name: string, schema: object, description: string])[] = [
  ['server', { type: 'integer', minimum: 0 }, 'Rows of this server only.'],
  ['monitor', { type: 'integer', minimum: 0 }, 'Rows of this monitor only; 0 for rows without one.'],
  ['from_id', id, 'The first id, included.'],
  ['to_id', id, 'The last id, included.'],
  ['from_time', time, 'The first time, included.'],
  ['to_time', time, 'The last time: a date includes its whole day.'],
  ['from', text, 'The older form of `from_id` (a number) and `from_time` (anything else).'],
  ['to', text, 'The older form of `to_id` and `to_time`.'],
  ['after', id, 'Rows with higher ids only: the last id of the page before.'],
  ['limit', count, 'The maximum number of rows of the page.'],
  ['format', { type: 'string', enum: ['json', 'ndjson'] }, 'Default: what `Accept` asks for, else JSON.'],
]

const problem = {
  type: 'object',
  required: ['title', 'status', 'detail'],
  properties: { type: text, title: text, status: { type: 'integer' }, detail: text, parameter: text },
}

function refusal(description: string) {
  return { description, content: { 'application/problem+json': { schema: problem } } }
}

const rows = { type: 'array', items: { type: 'object' } }

/** What OpenAPI 3.1 says of the scores, by their path. */
export function scoresPaths(path = '/api/scores') {
  return {
    [path]: {
      get: {
        operationId: 'getScores',
        summary: 'Rows of the archive, in ascending order of id, page by page.',
        parameters: parameters.map(([name, schema, description]) => ({ name, in: 'query', description, schema })),
        responses: {
          200: {
            description: 'The rows. The header `Link` has the next page, if there is one.',
            content: { 'application/json': { schema: rows }, 'application/x-ndjson': { schema: text } },
          },
          400: refusal('A parameter cannot be used; it is named.'),
          503: refusal('Too many pages are read at the moment, or the archive cannot be read.'),
          504: refusal('The archive did not answer in time.'),
        },
      },
    },
  }
}
