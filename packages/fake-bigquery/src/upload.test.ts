import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FakeBigQuery } from './contract.js'
import { startFakeBigQuery } from './start.js'
import { AvroFolder, clientOf, ended, loadOf, multipart, rowsFrom } from './test-support.js'

const files = new AvroFolder()
let fake: FakeBigQuery

beforeAll(async () => {
  fake = await startFakeBigQuery()
  await fake.createDataset({ id: 'ntp', location: 'europe-west1' })
})
afterAll(async () => {
  await fake.close()
  await files.remove()
})

describe('multipart', () => {
  test('the client loads a file, and the rows are those in it', async () => {
    const rows = rowsFrom(1, 2500)
    const path = await files.write(rows)
    const table = clientOf(fake).dataset('ntp', { location: 'europe-west1' }).table('by_client')
    const [job] = await table.createLoadJob(path, { jobId: 'by_client', useAvroLogicalTypes: true })
    const { statistics, jobReference } = await ended(job)

    expect(jobReference).toEqual({ projectId: 'test-project', location: 'europe-west1', jobId: 'by_client' })
    expect(statistics.load.outputRows).toBe('2500')
    const found = await fake.rowsOf('ntp', 'by_client')
    expect(found).toEqual(rows.map((row) => ({ ...row, id: BigInt(row.id), ts: BigInt(row.ts) })))
  })

  test('labels and location are only heard where BigQuery looks for them', async () => {
    const path = await files.write(rowsFrom(1, 1))
    await multipart(
      fake,
      { configuration: { load: loadOf('labels', { labels: { in: 'load' } }), labels: { rows: '1' } } },
      path,
    )
    const [job] = (await fake.jobs()).slice(-1)
    expect(job?.configuration.labels).toEqual({ rows: '1' })
    expect(job?.location).toBe('europe-west1')
  })

  test('a known job id is refused with 409, and nothing is stored twice', async () => {
    const path = await files.write(rowsFrom(1, 10))
    const job = { jobReference: { jobId: 'twice' }, configuration: { load: loadOf('twice') } }
    const answers = [await multipart(fake, job, path), await multipart(fake, job, path)]
    await fake.release()

    expect(answers.map(({ status }) => status)).toEqual([200, 409])
    const message = 'Already Exists: Job test-project:europe-west1.twice'
    expect(await answers[1]!.json()).toEqual({
      error: {
        code: 409,
        message,
        errors: [{ message, domain: 'global', reason: 'duplicate' }],
        status: 'ALREADY_EXISTS',
      },
    })
    expect(await fake.countOf('ntp', 'twice')).toBe(10)
  })

  test('a body without its closing boundary is refused', async () => {
    const body = '--b\r\n\r\n{}\r\n--b\r\n\r\nObj'
    const response = await fetch(`${fake.url}/upload/bigquery/v2/projects/test-project/jobs?uploadType=multipart`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/related; boundary=b' },
      body,
    })
    expect(response.status).toBe(400)
  })
})

describe('resumable', () => {
  const chunk = 256 * 1024

  async function startSession(job: object): Promise<string> {
    const response = await fetch(`${fake.url}/upload/bigquery/v2/projects/test-project/jobs?uploadType=resumable`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(job),
    })
    expect(response.status).toBe(200)
    return response.headers.get('location')!
  }

  function put(url: string, contentRange: string, body: Buffer = Buffer.alloc(0)): Promise<Response> {
    return fetch(url, { method: 'PUT', headers: { 'content-range': contentRange }, body, redirect: 'manual' })
  }

  test('takes chunks, says how far it is, and answers with the job', async () => {
    const path = await files.write(rowsFrom(1, 40_000))
    const bytes = await readFile(path)
    const total = bytes.length
    expect(total).toBeGreaterThan(2 * chunk)
    const url = await startSession({ jobReference: { jobId: 'chunks' }, configuration: { load: loadOf('chunks') } })

    const nothing = await put(url, `bytes */${total}`)
    expect([nothing.status, nothing.headers.get('range')]).toEqual([308, null])
    const first = await put(url, `bytes 0-${chunk - 1}/*`, bytes.subarray(0, chunk))
    expect([first.status, first.headers.get('range')]).toEqual([308, `bytes=0-${chunk - 1}`])
    const uneven = await put(url, `bytes ${chunk}-${chunk + 9}/${total}`, bytes.subarray(chunk, chunk + 10))
    expect(uneven.status).toBe(400)
    const last = await put(url, `bytes ${chunk}-${total - 1}/${total}`, bytes.subarray(chunk))
    const again = await put(url, `bytes */${total}`)

    expect(last.status).toBe(200)
    const job = await last.json()
    expect(await again.json()).toEqual(job)
    await fake.release()
    expect(await fake.countOf('ntp', 'chunks')).toBe(40_000)
  })

  test('goes on from what came before the connection broke', async () => {
    const bytes = await readFile(await files.write(rowsFrom(1, 20_000)))
    const total = bytes.length
    const url = await startSession({ jobReference: { jobId: 'resumed' }, configuration: { load: loadOf('resumed') } })
    await fake.fail({ on: 'jobs.upload.chunk', do: { kind: 'cut-body', afterBytes: 100_000 } })
    await expect(put(url, `bytes 0-${total - 1}/${total}`, bytes)).rejects.toThrow()

    const state = await put(url, `bytes */${total}`)
    expect(state.status).toBe(308)
    const held = Number(/bytes=0-(\d+)/.exec(state.headers.get('range') ?? '')?.[1] ?? -1) + 1
    const rest = await put(url, `bytes ${held}-${total - 1}/${total}`, bytes.subarray(held))
    expect(rest.status).toBe(200)
    await fake.release()
    expect(await fake.countOf('ntp', 'resumed')).toBe(20_000)
  })
})
