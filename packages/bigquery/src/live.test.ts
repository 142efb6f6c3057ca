import { randomBytes } from 'node:crypto'
import { archivedRow } from '@archiver/avro'
import { edgeRows, ordinaryRows } from '@archiver/conformance'
import { chunksFromRows, digestOf, type LogScore, rowsFromChunk } from '@archiver/core'
import { BigQuery } from '@google-cloud/bigquery'
import { afterAll, describe, expect, test } from 'vitest'
import { createBigQueryArchiver } from './archiver.js'
import { batch, store, stored } from './testing/fake.js'

const { BQ_LIVE_PROJECT: projectId, BQ_LIVE_DATASET: dataset, BQ_LIVE_BUCKET: bucket } = process.env
const table = `archiver_live_${randomBytes(6).toString('hex')}`
const { signal } = new AbortController()

if (!projectId || !dataset) console.warn('SKIPPED: set BQ_LIVE_PROJECT and BQ_LIVE_DATASET, and credentials.')

describe.skipIf(!projectId || !dataset)('the real BigQuery', () => {
  const rows: LogScore[] = [...ordinaryRows(25_000), ...edgeRows().filter(isTaken)]
  const options = { projectId: projectId!, dataset: dataset! }
  const planned = (id: bigint, some: readonly LogScore[]) => batch(id, some, { table })

  afterAll(() =>
    new BigQuery({ projectId: projectId! }).dataset(dataset!).table(table).delete({ ignoreNotFound: true }),
  )

  test('takes a batch once, tells what it holds, and gives it back', async () => {
    await using archiver = createBigQueryArchiver(options)
    await archiver.prepare(table)
    const result = await store(archiver, planned(1n, rows), rows)
    expect(await store(archiver, planned(1n, rows), rows)).toEqual(result)
    expect(await stored(archiver, planned(1n, rows), rows)).toEqual({ kind: 'all', result })
    await expect(stored(archiver, planned(1n, rows), rows.toSpliced(7, 1))).rejects.toThrow(String(rows[7]!.id))
    const range = { afterId: 0n, upToId: 2n ** 63n - 1n }
    const found: LogScore[] = []
    for await (const chunk of archiver.reader.read(table, range, signal)) found.push(...rowsFromChunk(chunk))
    expect(found).toEqual(rows.map(archivedRow))
    expect(await archiver.reader.digest(table, range, signal)).toEqual(await digestOf(chunksFromRows(rows)))
  })

  test.skipIf(!bucket)('takes a batch through a bucket', async () => {
    const more = ordinaryRows(1000, 9_000_000_001n)
    await using archiver = createBigQueryArchiver({ ...options, viaBucket: { name: bucket! } })
    await archiver.prepare(table)
    const result = await store(archiver, planned(2n, more), more)
    expect(await stored(archiver, planned(2n, more), more)).toEqual({ kind: 'all', result })
  })
})

function isTaken(row: LogScore): boolean {
  try {
    return archivedRow(row).warning === row.warning
  } catch {
    return false
  }
}
