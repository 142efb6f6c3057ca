import { archivedRow } from '@archiver/avro'
import { describeReader } from '@archiver/conformance'
import type { FakeBigQuery } from '@archiver/testkit/bigquery'
import { afterAll, beforeAll } from 'vitest'
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
