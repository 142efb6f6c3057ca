import { archivedRow } from '@archiver/avro'
import { describeReader, ordinaryRows } from '@archiver/conformance'
import { chunksFromRows, digestOf } from '@archiver/core'
import { verifyArchive } from '@archiver/core/reconcile'
import type { ErrorName, FakeBigQuery, Operation } from '@archiver/fake-bigquery'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { archiverOf, batch, dataset, rowsIn, startFake, store } from './testing/fake.js'

let fake: FakeBigQuery
/** Of jobs that no archiver knows. */
let harms = 1_000_000n

beforeAll(async () => {
  fake = await startFake()
})

afterAll(() => fake.close())

describeReader('bigquery', {
  open: async () => archiverOf(fake),
  read: (table) => rowsIn(fake, table),
  convert: archivedRow,
  async tamper(table, edit) {
    const rows = (await rowsIn(fake, table)).flatMap(edit)
    await fake.deleteTable(dataset, table)
    const archiver = archiverOf(fake)
    await archiver.prepare(table)
    if (rows.length > 0) await store(archiver, batch(++harms, rows, { table }), rows)
  },
})

describe('BigQuery cannot be asked', () => {
  const rows = ordinaryRows(50)
  const verify = (table: string) =>
    verifyArchive({
      source: {
        nextId: async () => 0n,
        existingIds: async () => [],
        firstId: async () => rows[0]!.id,
        read: () => chunksFromRows(rows),
        digest: async () => ({ ...(await digestOf(chunksFromRows(rows))), times: [] }),
      },
      reader: archiverOf(fake).reader,
      table,
      range: { afterId: rows[0]!.id - 1n, upToId: rows.at(-1)!.id },
      skipped: new BigUint64Array(),
      identities: [],
      deep: false,
      signal: new AbortController().signal,
    })

  test.each<[ErrorName, Operation, string]>([
    ['authError', 'tables.get', 'BQ_LOGIN'],
    ['authError', 'jobs.insert', 'BQ_LOGIN'],
    ['accessDenied', 'jobs.insert', 'BQ_DENIED'],
    ['quotaExceeded', 'jobs.insert', 'BQ_QUOTA'],
    ['quotaExceeded', 'jobs.getQueryResults', 'BQ_QUOTA'],
    ['notFound', 'jobs.insert', 'BQ_NOT_FOUND'],
    ['jobNotFound', 'jobs.getQueryResults', 'BQ_NOT_FOUND'],
  ])('%s at %s is an error, not a finding', async (error, on, code) => {
    const table = `asked_${error}_${on.replaceAll('.', '_')}`
    const archiver = archiverOf(fake)
    await archiver.prepare(table)
    await store(archiver, batch(++harms, rows, { table }), rows)
    await fake.fail({ on, do: { kind: 'answer', error } })
    await expect(verify(table)).rejects.toMatchObject({ code, hint: expect.stringMatching(/./) })
    expect(await fake.clearFaults()).toBe(0)
  })
})
