import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ErrorName, FakeBigQuery } from './contract.js'
import { startFakeBigQuery } from './start.js'
import { AvroFolder, clientOf, loadOf, multipart, rowsFrom } from './test-support.js'

const files = new AvroFolder()
let fake: FakeBigQuery
let path: string

beforeAll(async () => {
  fake = await startFakeBigQuery()
  await fake.createDataset({ id: 'ntp' })
  path = await files.write(rowsFrom(1, 10_000))
})
beforeEach(async () => {
  expect(await fake.clearFaults()).toBe(0)
})
afterAll(async () => {
  await fake.close()
  await files.remove()
})

function load(jobId: string): Promise<Response> {
  return multipart(fake, { jobReference: { jobId }, configuration: { load: loadOf(jobId) } }, path)
}

async function jobIds(): Promise<string[]> {
  return (await fake.jobs()).map(({ jobId }) => jobId)
}

const answers: [ErrorName, number, string | undefined][] = [
  ['backendError', 503, 'UNAVAILABLE'],
  ['internalError', 500, 'INTERNAL'],
  ['rateLimitExceeded', 403, 'PERMISSION_DENIED'],
  ['quotaExceeded', 403, 'PERMISSION_DENIED'],
  ['accessDenied', 403, 'PERMISSION_DENIED'],
  ['authError', 401, 'UNAUTHENTICATED'],
  ['notFound', 404, 'NOT_FOUND'],
]

describe('before any effect', () => {
  test.each(answers)('%s is answered with %i', async (error, code, status) => {
    await fake.fail({ on: 'jobs.upload', do: { kind: 'answer', error } })
    const response = await load(`answer_${error}`)
    expect(response.status).toBe(code)
    expect(await response.json()).toMatchObject({
      error: { code, status, errors: [{ reason: error, domain: 'global' }] },
    })
    expect(await jobIds()).not.toContain(`answer_${error}`)
  })

  test('a proxy answers with a page', async () => {
    await fake.fail({ on: 'datasets.get', do: { kind: 'answer', error: 'badGateway' } })
    await expect(clientOf(fake).dataset('ntp').getMetadata()).rejects.toMatchObject({ code: 502 })
  })

  test('the body is cut', async () => {
    await fake.fail({ on: 'jobs.upload', do: { kind: 'cut-body', afterBytes: 20_000 } })
    await expect(load('cut_body')).rejects.toThrow()
    expect(await jobIds()).not.toContain('cut_body')
    // The client hears of the cut before the fake has put the request on record.
    const last = async () => (await fake.requests()).at(-1)
    await expect.poll(last).toMatchObject({ operation: 'jobs.upload', bodyBytes: 20_000 })
    expect((await last())?.status).toBeUndefined()
  })
})

describe('after the full effect', () => {
  test('the response is lost', async () => {
    await fake.fail({ on: 'jobs.upload', do: { kind: 'lose-response' } })
    await expect(load('lost')).rejects.toThrow()
    await fake.release()
    expect(await fake.countOf('ntp', 'lost')).toBe(10_000)
    expect((await load('lost')).status).toBe(409)
  })

  test('an error is answered', async () => {
    await fake.fail({ on: 'jobs.upload', do: { kind: 'answer-after', error: 'backendError' } })
    expect((await load('answered')).status).toBe(503)
    expect(await jobIds()).toContain('answered')
  })

  test('the response is cut', async () => {
    await fake.fail({ on: 'jobs.upload', do: { kind: 'cut-response', afterBytes: 30 } })
    const response = await load('cut_response')
    expect(response.status).toBe(200)
    await expect(response.text()).rejects.toThrow()
    expect(await jobIds()).toContain('cut_response')
  })
})

test('a request lands when its client has long gone', async () => {
  await fake.fail({ on: 'jobs.upload', do: { kind: 'land-later' } })
  await expect(load('late')).rejects.toThrow()
  expect(await jobIds()).not.toContain('late')
  await fake.release('late')
  expect(await fake.countOf('ntp', 'late')).toBe(10_000)
})

test('a late twin is refused', async () => {
  await fake.fail({ on: 'jobs.upload', do: { kind: 'land-later' } })
  await expect(load('twin')).rejects.toThrow()
  expect((await load('twin')).status).toBe(200)
  await fake.release('twin')
  expect(await fake.countOf('ntp', 'twin')).toBe(10_000)
})

test('the script is followed in order, for its operation only', async () => {
  await fake.fail(
    { on: 'datasets.get', skip: 1, times: 2, do: { kind: 'answer', error: 'backendError' } },
    { on: 'datasets.get', do: { kind: 'answer', error: 'accessDenied' } },
  )
  await clientOf(fake).dataset('ntp').table('none').exists()
  const codes: number[] = []
  for (let n = 0; n < 5; n++) {
    const response = await fetch(`${fake.url}/bigquery/v2/projects/test-project/datasets/ntp`)
    codes.push(response.status)
  }
  expect(codes).toEqual([200, 503, 503, 403, 200])
})

test('what went over the wire is on record', async () => {
  await load('wire')
  expect((await fake.requests()).at(-1)).toMatchObject({
    operation: 'jobs.upload',
    method: 'POST',
    url: '/upload/bigquery/v2/projects/test-project/jobs?uploadType=multipart',
    headers: { 'content-type': 'multipart/related; boundary=b' },
    body: { jobReference: { jobId: 'wire' } },
    status: 200,
  })
})
