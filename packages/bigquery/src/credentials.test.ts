import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createBigQueryArchiver } from './archiver.js'
import { bigQueryError, jobError } from './errors.js'

const options = { projectId: 'ntppool', dataset: 'ntp' }
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bigquery-key-'))
})
afterEach(() => {
  delete process.env.GOOGLE_APPLICATION_CREDENTIALS
})
afterAll(() => rm(folder, { recursive: true }))

describe('a key file that is of no use fails before anything is loaded', () => {
  test('given by its setting', async () => {
    const archiver = createBigQueryArchiver({ ...options, keyFile: join(folder, 'missing.json') })
    const error = {
      code: 'GOOGLE_KEY_FILE',
      message: expect.stringMatching(/^GOOGLE_APPLICATION_CREDENTIALS: .*missing/),
    }
    await expect(archiver.validate!()).rejects.toMatchObject(error)
    await expect(archiver.prepare('log_scores')).rejects.toMatchObject(error)
    await expect(
      archiver.reader.digest('log_scores', { afterId: 0n, upToId: 1n }, AbortSignal.timeout(9e4)),
    ).rejects.toMatchObject(error)
  })

  test('given by the environment, and nothing of it is quoted', async () => {
    const path = join(folder, 'key.json')
    await writeFile(path, '{"private_key": "-----BEGIN SECRET-----')
    process.env.GOOGLE_APPLICATION_CREDENTIALS = path
    const archiver = createBigQueryArchiver(options)
    const error: unknown = await archiver.validate!().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'GOOGLE_KEY_FILE' })
    expect(inspect(error, { depth: 9 })).not.toContain('SECRET')
  })
})

test("errors do not carry the clients' requests, which hold tokens", () => {
  const thrown = Object.assign(new Error('Forbidden'), {
    code: 403,
    config: { headers: { authorization: 'Bearer SECRET' } },
    response: { request: { headers: { authorization: 'Bearer SECRET' } } },
    errors: [{ reason: 'accessDenied', message: 'Access Denied: Table ntppool:ntp.log_scores' }],
  })
  const error = bigQueryError(thrown, 'cannot load')
  expect(error).toMatchObject({
    code: 'BQ_DENIED',
    message: 'cannot load: Access Denied: Table ntppool:ntp.log_scores',
  })
  expect(inspect(error, { depth: 9 })).not.toContain('SECRET')
})

const notFound = { code: 404, errors: [{ reason: 'notFound' }] }

test.each([
  [Object.assign(new Error('x'), { code: 'ECONNRESET' }), 'BQ_UNREACHABLE', true],
  [new Error('Could not load the default credentials. Browse to …'), 'BQ_LOGIN', false],
  [Object.assign(new Error('invalid_grant'), { status: 400 }), 'BQ_LOGIN', false],
  [Object.assign(new Error('x'), { code: 403, errors: [{ reason: 'accessNotConfigured' }] }), 'BQ_API_OFF', false],
  [Object.assign(new Error('x'), { code: 403 }), 'BQ_DENIED', false],
  [Object.assign(new Error('Not found: Dataset a:b'), notFound), 'BQ_DATASET', false],
  [Object.assign(new Error('Not found: Table a:b.c'), notFound), 'BQ_TABLE_MISSING', true],
  [Object.assign(new Error('x'), notFound), 'BQ_NOT_FOUND', false],
  [Object.assign(new Error('a page of a proxy'), { code: 404 }), 'BQ_UNREACHABLE', true],
  [Object.assign(new Error('x'), { code: 400 }), 'BQ_REFUSED', false],
  [Object.assign(new Error('x'), { status: '503' }), 'BQ_BUSY', true],
])('%s is %s', (thrown, code, retryable) => {
  expect(bigQueryError(thrown, 'cannot')).toMatchObject({ code, retryable, hint: expect.stringMatching(/\w/) })
})

test('a failed job may say nothing', () => {
  expect(jobError('j', [], {}).message).toBe('the load job j failed: no reason given')
})
