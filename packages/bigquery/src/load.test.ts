import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { archivedRow } from '@archiver/avro'
import { ordinaryRows } from '@archiver/conformance'
import { leaseUntil } from '@archiver/core'
import type { ErrorName, FakeBigQuery, FaultAction } from '@archiver/fake-bigquery'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  archiverOf,
  atFault,
  batch,
  dataset,
  location,
  prepared,
  rowsIn,
  startFake,
  store,
  stored,
  table,
} from './testing/fake.js'

const rows = ordinaryRows(300)
const id = (batchId: number, attempt = 1) => `archiver_${dataset}-${table}_${batchId}_${attempt}`
let fake: FakeBigQuery
let spoolPath: string

beforeAll(async () => {
  fake = await startFake()
})
beforeEach(async () => {
  spoolPath = await mkdtemp(join(tmpdir(), 'bigquery-spool-'))
})
afterEach(async () => {
  expect(await readdir(spoolPath)).toEqual([])
  await rm(spoolPath, { recursive: true })
  expect(await fake.clearFaults()).toBe(0)
  await fake.deleteTable(dataset, table)
  for (const { jobId } of await fake.jobs()) await fake.forget(jobId)
})
afterAll(() => fake.close())

const open = () => prepared(fake, { spoolPath })
const expectRows = async (expected = rows) => expect(await rowsIn(fake)).toEqual(expected.map(archivedRow))
const loads = async () =>
  (await fake.jobs()).filter(({ jobId, forgotten }) => jobId.startsWith('archiver_') && !forgotten)
const uploadMeets = (action: FaultAction, times = 1) => fake.fail({ on: 'jobs.upload', times, do: action })

test('a batch is one load job with its labels, its location and a length', async () => {
  const result = await store(await open(), batch(7n, rows), rows)
  expect(result).toEqual({ rows: 300, bytes: expect.any(Number), identity: id(7) })
  await expectRows()
  const upload = (await fake.requests()).findLast(({ operation }) => operation === 'jobs.upload')!
  expect(upload.body).toEqual({
    jobReference: { projectId: fake.projectId, jobId: id(7), location },
    configuration: {
      labels: {
        archiver_table: 'log_scores',
        archiver_batch: '7',
        archiver_range: '1000000-1000300',
        archiver_rows: '300',
      },
      load: {
        destinationTable: { projectId: fake.projectId, datasetId: dataset, tableId: table },
        sourceFormat: 'AVRO',
        useAvroLogicalTypes: true,
        createDisposition: 'CREATE_NEVER',
        writeDisposition: 'WRITE_APPEND',
      },
    },
  })
  expect(Number(upload.headers['content-length'])).toBe(upload.bodyBytes)
  expect(upload.bodyBytes).toBeGreaterThan(result.bytes)
})

test('warnings that the record has no field for are counted, by findStored() too', async () => {
  const warned = rows.with(3, { ...rows[3]!, warning: 'odd' })
  const result = await store(await open(), batch(1n, warned), warned)
  expect(result.conversions).toEqual({ warningDropped: 1 })
  expect(await stored(await open(), batch(1n, warned), warned)).toEqual({ kind: 'all', result })
})

describe('sent again under the same id, and stored once, is what met', () => {
  const faults: [string, FaultAction][] = [
    ['a lost answer', { kind: 'lose-response' }],
    ['half an answer', { kind: 'cut-response', afterBytes: 20 }],
    ['an error after success', { kind: 'answer-after', error: 'backendError' }],
    ['a body cut in the middle', { kind: 'cut-body', afterBytes: 3000 }],
    ['a token that expired on the way', { kind: 'answer', error: 'authError' }],
    ['a rate limit', { kind: 'answer', error: 'rateLimitExceeded' }],
    ['a bad gateway', { kind: 'answer', error: 'badGateway' }],
  ]
  test.each(faults)('%s', async (_, action) => {
    await uploadMeets(action)
    expect(await store(await open(), batch(1n, rows), rows)).toMatchObject({ rows: 300, identity: id(1) })
    await expectRows()
    expect(await loads()).toHaveLength(1)
  })

  test('a body cut in the middle, and then a token that has expired', async () => {
    await uploadMeets({ kind: 'cut-body', afterBytes: 3000 })
    await uploadMeets({ kind: 'answer', error: 'authError' })
    expect(await store(await open(), batch(1n, rows), rows)).toMatchObject({ rows: 300, identity: id(1) })
    await expectRows()
  })

  test('a request that takes effect only later', async () => {
    await uploadMeets({ kind: 'land-later' })
    await store(await open(), batch(1n, rows), rows)
    await fake.release()
    await expectRows()
    expect(await loads()).toHaveLength(1)
  })
})

test('a storm of errors ends the try; what has landed is found by the next', async () => {
  await uploadMeets({ kind: 'answer', error: 'backendError' }, 2)
  await uploadMeets({ kind: 'answer-after', error: 'backendError' })
  await fake.fail({ on: 'jobs.get', skip: 3, do: { kind: 'answer', error: 'backendError' } })
  await expect(store(await open(), batch(1n, rows), rows)).rejects.toMatchObject({ code: 'BQ_BUSY', retryable: true })
  expect(await stored(await open(), batch(1n, rows), rows)).toMatchObject({
    kind: 'all',
    result: { rows: 300, identity: id(1) },
  })
  await expectRows()
})

describe('a job that is there already', () => {
  test('and runs is waited for and adopted', async () => {
    await uploadMeets({ kind: 'hold-job', state: 'RUNNING' })
    const stop = new AbortController()
    const first = store(await open(), batch(1n, rows), rows, leaseUntil(stop.signal))
    await jobIs('RUNNING')
    stop.abort(new Error('the process ends'))
    await expect(first).rejects.toThrow('the process ends')
    const second = stored(await open(), batch(1n, rows), rows)
    const third = store(await open(), batch(1n, rows), rows)
    await fake.release()
    expect(await second).toMatchObject({ kind: 'all', result: { identity: id(1) } })
    expect(await third).toMatchObject({ rows: 300, identity: id(1) })
    await expectRows()
  })

  test('and has failed gives way to a new attempt', async () => {
    await uploadMeets({ kind: 'fail-job', errors: [badRow] })
    await expect(store(await open(), batch(1n, rows), rows)).rejects.toMatchObject({ code: 'BQ_JOB_FAILED' })
    const archiver = await open()
    expect(await stored(archiver, batch(1n, rows), rows)).toEqual({ kind: 'none' })
    expect(await store(archiver, batch(1n, rows), rows)).toMatchObject({ identity: id(1, 2) })
    expect(await stored(await open(), batch(1n, rows), rows)).toMatchObject({ result: { identity: id(1, 2) } })
    await expectRows()
  })

  test('and whose rows were removed since is not believed', async () => {
    await store(await open(), batch(1n, rows), rows)
    await fake.deleteTable(dataset, table)
    const archiver = await open()
    expect(await stored(archiver, batch(1n, rows), rows)).toEqual({ kind: 'none' })
    expect(await store(archiver, batch(1n, rows), rows)).toMatchObject({ identity: id(1, 2) })
    await expectRows()
  })

  test('and loaded other rows of the range stops the batch until they are compared', async () => {
    const archiver = await open()
    await store(archiver, batch(1n, rows.slice(0, 200)), rows.slice(0, 200))
    await expect(store(archiver, batch(1n, rows), rows)).rejects.toMatchObject({
      code: 'BQ_JOB_DIFFERS',
      retryable: true,
    })
    const held = await stored(archiver, batch(1n, rows), rows)
    expect(held).toMatchObject({ kind: 'some', ids: BigUint64Array.from(rows.slice(0, 200), (row) => row.id) })
    await store(archiver, batch(1n, rows), rows.slice(200))
    await expectRows()
  })

  test('and loaded fewer rows than the batch has is not believed, though it is of the same range', async () => {
    const archiver = await open()
    await store(archiver, batch(1n, rows), rows.slice(0, 299))
    await expect(store(archiver, batch(1n, rows), rows)).rejects.toMatchObject({ code: 'BQ_JOB_DIFFERS' })
  })

  test('and is of a batch before the database was restored is passed over', async () => {
    const archiver = await open()
    await store(archiver, batch(1n, rows.slice(0, 200)), rows.slice(0, 200))
    const rest = rows.slice(200)
    expect(await store(archiver, batch(1n, rest), rest)).toMatchObject({ identity: id(1, 2) })
    await expectRows()
  })
})

test('a job that BigQuery has forgotten is not needed: the table tells', async () => {
  const result = await store(await open(), batch(1n, rows), rows)
  await fake.forget(id(1))
  expect(await stored(await open(), batch(1n, rows), rows)).toEqual({ kind: 'all', result })
})

const badRow = { reason: 'invalid', message: 'Error while reading data, error message: Cannot convert row 77' }

test('a job that fails on one bad row says so in one line, and leaves nothing', async () => {
  await uploadMeets({ kind: 'fail-job', errors: [badRow, { reason: 'invalid', message: 'another\nline' }] })
  await expect(store(await open(), batch(1n, rows), rows)).rejects.toMatchObject({
    code: 'BQ_JOB_FAILED',
    retryable: false,
    message: `the load job ${id(1)} failed: ${badRow.message} | another line`,
    place: { table, afterId: 1_000_000n, upToId: 1_000_300n },
  })
  await expectRows([])
})

test.each(['backendError', 'rateLimitExceeded'])('a job that fails with %s is tried again', async (reason) => {
  await uploadMeets({ kind: 'fail-job', errors: [{ reason, message: 'busy' }] })
  await expect(store(await open(), batch(1n, rows), rows)).rejects.toMatchObject({ code: 'BQ_BUSY', retryable: true })
})

const refusals: [ErrorName, string, RegExp][] = [
  ['accessDenied', 'BQ_DENIED', /roles\/bigquery\.jobUser/],
  ['quotaExceeded', 'BQ_QUOTA', /refills within 24 hours/],
]
test.each(refusals)('%s is said in plain words and not tried again', async (error, code, hint) => {
  await uploadMeets({ kind: 'answer', error })
  await expect(store(await open(), batch(1n, rows), rows)).rejects.toMatchObject({
    code,
    retryable: false,
    hint: expect.stringMatching(hint),
  })
  await expectRows([])
})

test('an expired token that is not renewed ends the try', async () => {
  await uploadMeets({ kind: 'answer', error: 'authError' }, 2)
  await expect(store(await open(), batch(1n, rows), rows)).rejects.toMatchObject({ code: 'BQ_LOGIN' })
})

test('a table with ts as a number takes microseconds, and tells what it holds', async () => {
  await fake.createTable(dataset, table, await goFields())
  const archiver = await open()
  const result = await store(archiver, batch(1n, rows), rows)
  await expectRows()
  expect(await stored(archiver, batch(1n, rows), rows)).toEqual({ kind: 'all', result })
  await expect(stored(archiver, batch(1n, rows), rows.toSpliced(5, 1))).rejects.toMatchObject({
    code: 'BQ_FOREIGN_ROWS',
    message: expect.stringContaining(String(rows[5]!.id)),
  })
})

test('a lease that ends at any moment leaves whole batches only', async () => {
  const end = new Error('no more')
  for (let allowed = 0; ; allowed++) {
    let checks = 0
    const assertHeld = () => {
      if (checks++ >= allowed) throw end
    }
    const lease = { signal: new AbortController().signal, assertHeld }
    const outcome: unknown = await store(await open(), batch(1n, rows), rows, lease).catch((thrown: unknown) => thrown)
    expect(await readdir(spoolPath)).toEqual([])
    expect([0, 300]).toContain((await rowsIn(fake)).length)
    if (outcome === end) continue
    expect(outcome).toMatchObject({ rows: 300, identity: id(1) })
    break
  }
  await expectRows()
  expect(await loads()).toHaveLength(1)
})

test('a lease that ends when all of the file is on its way: BigQuery has nothing', async () => {
  const stop = new AbortController()
  const end = new Error('the lock is lost')
  atFault('bigquery.sending', () => stop.abort(end))
  const lease = { signal: new AbortController().signal, assertHeld: () => stop.signal.throwIfAborted() }
  await expect(store(await open(), batch(1n, rows), rows, lease)).rejects.toThrow(end)
  expect(await loads()).toEqual([])
  await expectRows([])
})

test('a row that differs, and a row that is there twice, are named', async () => {
  const archiver = await open()
  await store(archiver, batch(1n, rows), rows)
  const other = rows.with(9, { ...rows[9]!, serverId: 4242 })
  await expect(stored(archiver, batch(1n, other), other)).rejects.toThrow(
    /1 row \(id 1000010 \(there of server \d+ at 2026-\S+Z, in the source of server 4242/,
  )
  await store(archiver, batch(2n, rows), rows)
  await expect(stored(archiver, batch(1n, rows), rows)).rejects.toMatchObject({ code: 'BQ_DUPLICATE_ROWS' })
})

test('a file beyond what one request should carry is refused, with the way round it', async () => {
  const archiver = archiverOf(fake, { spoolPath, maxUploadBytes: 1000 })
  await archiver.prepare(table)
  await expect(store(archiver, batch(1n, rows), rows)).rejects.toMatchObject({
    code: 'BQ_FILE_TOO_LARGE',
    hint: expect.stringContaining('bq_via_gcs'),
  })
})

async function jobIs(state: string): Promise<void> {
  while (!(await fake.jobs()).some((job) => job.state === state));
}

async function goFields() {
  const { columns } = await import('./table.js')
  return columns.map(({ name, type, mode }) => ({ name, type: name === 'ts' ? ('INTEGER' as const) : type, mode }))
}
