import { ordinaryRows } from '@archiver/conformance'
import type { FakeBigQuery } from '@archiver/fake-bigquery'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { batch, prepared, rowsIn, startFake, store, stored } from './testing/fake.js'

const rows = ordinaryRows(40)
const part = (n: number) => rows.slice(10 * (n - 1), 10 * n)
let fake: FakeBigQuery

beforeAll(async () => {
  fake = await startFake()
})
afterAll(() => fake.close())

test('no more load jobs a day than allowed, whoever sent them', async () => {
  const options = { maxLoadsPerDay: 3 }
  const first = await prepared(fake, options)
  await store(first, batch(1n, part(1)), part(1))
  await fake.fail({ on: 'jobs.upload', do: { kind: 'fail-job', errors: [{ reason: 'invalid', message: 'odd' }] } })
  await expect(store(first, batch(2n, part(2)), part(2))).rejects.toMatchObject({ code: 'BQ_JOB_FAILED' })
  // Failed ones count with BigQuery, too.
  const second = await prepared(fake, options)
  await store(second, batch(2n, part(2)), part(2))
  for (const archiver of [second, await prepared(fake, options)]) {
    await expect(store(archiver, batch(3n, part(3)), part(3))).rejects.toMatchObject({
      code: 'BQ_LOADS_SPENT',
      retryable: false,
      message: '3 load jobs into log_scores in 24 hours are as many as allowed',
      hint: expect.stringContaining(`It goes on at ${tomorrow()}`),
    })
  }
  expect(await rowsIn(fake)).toHaveLength(20)
  expect(await stored(second, batch(3n, part(3)), part(3))).toEqual({ kind: 'none' })
  // A table of a similar name has a count of its own, and a stored batch is found without one.
  const other = await prepared(fake, options)
  await other.prepare('log_scores_test')
  await store(other, { ...batch(4n, part(4)), table: 'log_scores_test' }, part(4))
  expect(await store(other, batch(1n, part(1)), part(1))).toMatchObject({ rows: 10 })
})

test('the quota of BigQuery itself is said in plain words', async () => {
  await fake.limitLoads(3)
  const archiver = await prepared(fake)
  await expect(store(archiver, batch(9n, part(3)), part(3))).rejects.toMatchObject({ code: 'BQ_QUOTA' })
})

/** To the minute is too much: one may have passed since. */
function tomorrow(): string {
  return new Date(Date.now() + 86_400_000).toISOString().slice(0, 'yyyy-mm-ddThh'.length)
}
