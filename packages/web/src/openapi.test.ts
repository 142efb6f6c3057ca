import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { describe, expect, test } from 'vitest'
import { exampleFailure, exampleHistory, exampleStatus } from './testing/example-status.js'
import { openWeb } from './testing/open-web.js'
import { ScriptedView } from './testing/scripted-view.js'

interface Document {
  readonly paths: Readonly<Record<string, unknown>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

async function document(): Promise<Document> {
  await using web = await openWeb()
  return (await web.get('/api/openapi.json')).json() as Promise<Document>
}

test('is OpenAPI 3.1 by its own schema', async () => {
  const validator = new Validator()
  const result = await validator.validate({ ...(await document()) })
  expect(result).toMatchObject({ valid: true })
  expect(validator.version).toBe('3.1')
})

test('has the paths of who answers beside the service', async () => {
  await using web = await openWeb(undefined, { alsoPaths: { '/api/scores': { get: { operationId: 'getScores' } } } })
  const { paths } = (await (await web.get('/api/openapi.json')).json()) as Document
  expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/api/status', '/api/scores']))
})

test('describes what is answered, no more and no less', async () => {
  await using web = await openWeb()
  const { paths } = await document()
  for (const path of Object.keys(paths))
    expect([path, (await web.get(path, { method: 'HEAD' })).status]).toEqual([path, 200])
})

describe('real answers fit', async () => {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true })
  addFormats.default(ajv)
  ajv.addVocabulary(['openapi', 'info', 'servers', 'paths', 'components'])
  ajv.addSchema({ ...(await document()), $id: 'api' })
  const isStatus = ajv.compile({ $ref: 'api#/components/schemas/ServiceStatus' })
  const isSamples = ajv.compile({ type: 'array', items: { $ref: 'api#/components/schemas/HistorySample' } })
  const fine = exampleStatus()

  test.each([
    ['a leader where all goes well', fine],
    [
      'MySQL alone',
      {
        ...fine,
        service: null,
        mysql: { ...fine.mysql, pool: null },
        archivers: fine.archivers.map((one) => ({ ...one, state: 'unknown' as const, nextRunAt: null, policy: null })),
      },
    ],
    [
      'one where nothing is known',
      {
        ...fine,
        newest: null,
        cleanup: null,
        archivers: [],
        mysql: { reachable: false, answeredAt: null, error: exampleFailure, nextTryAt: exampleFailure.at, pool: null },
      },
    ],
    [
      'failures',
      {
        ...fine,
        health: 'failing' as const,
        archivers: fine.archivers.map((one) => ({
          ...one,
          state: 'failing' as const,
          health: 'failing' as const,
          mark: null,
          markedAt: null,
          lag: { rows: null, ms: null },
          batch: null,
          lastBatch: null,
          lastSuccessAt: null,
          error: { ...exampleFailure, hint: null },
          failuresInARow: 9,
        })),
      },
    ],
    [
      'what cleanup is blocked by',
      {
        ...fine,
        cleanup: {
          ...fine.cleanup!,
          state: 'blocked' as const,
          blocked: { reason: 'no-mark', why: 'why', hint: null },
          error: exampleFailure,
          keptRows: [{ table: 'scorer_status', rows: 2 }],
          oldestTs: null,
        },
      },
    ],
    [
      'a reload',
      { ...fine, service: { ...fine.service!, reload: { at: fine.at, taken: false, text: 'ch_dsn: no DSN' } } },
    ],
  ])('%s', async (_, status) => {
    await using web = await openWeb(new ScriptedView(status, exampleHistory(0.1)))
    const valid = isStatus(await (await web.get('/api/status')).json())
    expect(isStatus.errors ?? []).toEqual([])
    expect(valid).toBe(true)
    expect(isSamples(await (await web.get('/api/history')).json())).toBe(true)
  })

  test.each([
    ['a member that is missing', { ...fine, table: undefined }],
    ['one that is not described', { ...fine, secret: 'x' }],
    ['an id that is a number', { ...fine, newest: { id: 7, ts: null } }],
    ['a time that is none', { ...fine, at: 'yesterday' }],
  ])('%s is noticed', (_, status) => expect(isStatus(JSON.parse(JSON.stringify(status)))).toBe(false))
})
