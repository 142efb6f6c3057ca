import { archivedRow, exactRow } from '@archiver/avro'
import { describeArchiver } from '@archiver/conformance'
import type { FakeBigQuery } from '@archiver/fake-bigquery'
import { afterAll, beforeAll } from 'vitest'
import { archiverOf, rowsIn, startFake } from './testing/fake.js'

let fake: FakeBigQuery

beforeAll(async () => {
  fake = await startFake()
})

afterAll(() => fake.close())

describeArchiver('BigQuery', {
  open: async () => archiverOf(fake),
  read: (table) => rowsIn(fake, table),
  convert: archivedRow,
  wholeBatches: true,
})

describeArchiver('BigQuery that loses nothing', {
  open: async () => archiverOf(fake, { schema: 2 }),
  read: (table) => rowsIn(fake, table),
  convert: exactRow,
  wholeBatches: true,
})
