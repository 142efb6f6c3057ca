import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ordinaryRows } from '@archiver/conformance'
import type { GcsProxy } from '@archiver/testkit'
import { describeWithFakeGcs } from '@archiver/testkit/vitest'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createGcsAvroArchiver } from './gcs-avro-archiver.js'
import { batch, impatient, proxyTo, removeObjects, store, testFolder } from './test-support.js'

const rows = ordinaryRows(300)
const large = ordinaryRows(2000).map((row) => ({ ...row, error: `${row.id} `.repeat(70) }))

describe('a key file', () => {
  test.each([
    ['missing', undefined],
    ['no JSON', '-----BEGIN PRIVATE KEY-----\nSECRET'],
    ['of another kind', '{"private_key":"SECRET"}'],
  ])('that is %s fails in check(), by its variable and without a word of its content', async (_, content) => {
    const keyFile = join(await testFolder(), 'key.json')
    if (content) await writeFile(keyFile, content)
    const error = await createGcsAvroArchiver({ bucket: 'b', keyFile }).validate!().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'GOOGLE_KEY_FILE' })
    expect(String(error)).toContain(`GOOGLE_APPLICATION_CREDENTIALS: ${keyFile}`)
    expect(JSON.stringify([error, String(error)])).not.toContain('SECRET')
  })

  test('is the one of the environment where none is given, and not looked for with an emulator', async () => {
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '/nowhere/key.json')
    await expect(createGcsAvroArchiver({ bucket: 'b' }).validate!()).rejects.toThrow('/nowhere/key.json')
    vi.stubEnv('STORAGE_EMULATOR_HOST', '127.0.0.1:1')
    await createGcsAvroArchiver({ bucket: 'b' }).validate!()
    vi.unstubAllEnvs()
  })

  test('whose key is rubbish gets nothing of it into an error', async () => {
    const keyFile = join(await testFolder(), 'key.json')
    const key = { type: 'service_account', client_email: 'a@b.iam', private_key: 'SECRET', project_id: 'p' }
    await writeFile(keyFile, JSON.stringify(key))
    const options = { bucket: 'b', keyFile, endpoint: 'http://127.0.0.1:1', patience: impatient }
    const archiver = createGcsAvroArchiver(options)
    const error = await archiver.prepare('log_scores').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'GCS_LOGIN', retryable: false })
    expect(JSON.stringify([error, String(error), (error as Error).cause])).not.toContain('SECRET')
  })
})

await describeWithFakeGcs('a workload identity', (bucket) => {
  beforeEach(() => removeObjects(bucket))

  /** Credentials that are exchanged for tokens at the proxy. */
  async function identity(proxy: GcsProxy): Promise<string> {
    const folder = await testFolder()
    await writeFile(join(folder, 'subject'), 'token of the workload')
    const keyFile = join(folder, 'identity.json')
    const audience = '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x'
    const credentials = {
      type: 'external_account',
      audience,
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${proxy.url}/token`,
      credential_source: { file: join(folder, 'subject') },
    }
    await writeFile(keyFile, JSON.stringify(credentials))
    return keyFile
  }

  async function withTokens(options = {}) {
    const proxy = await proxyTo(bucket)
    proxy.requireTokens()
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', await identity(proxy))
    onTestFinished(() => void vi.unstubAllEnvs())
    const common = { bucket: bucket.name, endpoint: proxy.url, patience: impatient, spoolPath: await testFolder() }
    return { proxy, archiver: createGcsAvroArchiver({ ...common, ...options }) }
  }

  test.each([{}, { resumableFromBytes: 1 }])('opens every request at gc_endpoint, with %o', async (options) => {
    const { proxy, archiver } = await withTokens(options)
    await archiver.prepare('log_scores')
    const { identity } = await store(archiver, batch(1n, rows), rows)
    const range = { afterId: 0n, upToId: 2n ** 62n }
    const { rows: found } = await archiver.reader.digest('log_scores', range, new AbortController().signal)
    expect([identity, found]).toEqual(['2026/1792022400-1000001.avro', 300n])
    expect(proxy.tokens).toBe(1)
    for (const { headers } of proxy.requests) expect(headers.authorization).toBe('Bearer token-1')
  })

  test('whose token expires in the middle of an upload gets a new one, and the upload goes on', async () => {
    const { proxy, archiver } = await withTokens({ resumableFromBytes: 1 })
    // The connection breaks, and when it is there again the token is not what it was.
    proxy.fail({ on: 'send', kind: 'cut', afterBytes: 300_000, andThen: () => proxy.expireTokens() })
    await store(archiver, batch(1n, large), large)
    const steps = proxy.requests.map(({ step, headers }) => [step, headers.authorization])
    expect(steps).toEqual([
      ['begin', 'Bearer token-1'],
      ['send', 'Bearer token-1'],
      ['progress', 'Bearer token-1'],
      ['progress', 'Bearer token-2'],
      ['send', 'Bearer token-2'],
    ])
  })

  test.each([{}, { resumableFromBytes: 1 }])(
    'whose token has expired before an upload gets a new one, with %o',
    async (options) => {
      const { proxy, archiver } = await withTokens(options)
      await archiver.prepare('log_scores')
      proxy.expireTokens()
      expect(await store(archiver, batch(1n, rows), rows)).toMatchObject({ rows: 300 })
      expect(proxy.tokens).toBe(2)
    },
  )

  test('that is refused for good is an error that does not show its token', async () => {
    const { proxy, archiver } = await withTokens()
    proxy.fail({
      on: 'list',
      kind: 'answer',
      status: 401,
      reason: 'authError',
      message: 'Invalid Credentials',
      times: 9,
    })
    const error = await archiver.prepare('log_scores').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'GCS_LOGIN', retryable: false })
    expect(JSON.stringify([error, String(error), (error as Error).cause])).not.toMatch(/token-\d|token of the workload/)
    expect(proxy.tokens).toBe(2)
  })
})
