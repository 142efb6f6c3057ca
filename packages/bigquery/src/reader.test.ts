import { archivedRow } from '@archiver/avro'
import { edgeRows, ordinaryRows } from '@archiver/conformance'
import { chunkFromRows, chunksFromRows, digestOf, type IdRange, type LogScore, rowsFromChunk } from '@archiver/core'
import type { FakeBigQuery } from '@archiver/fake-bigquery'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Link } from './link.js'
import { BigQueryReader } from './reader.js'
import { columns } from './table.js'
import { archiverOf, batch, dataset, prepared, startFake, store, table } from './testing/fake.js'

const { signal } = new AbortController()
const everything = { afterId: 0n, upToId: 2n ** 64n - 1n }
/** More than a page, with ids so far apart that they are read in several queries; some columns at their edges. */
const rows: LogScore[] = [
  ...ordinaryRows(25_000),
  ...ordinaryRows(100, 9_000_000n),
  ...edgeRows().filter(isTaken),
  { ...ordinaryRows(1)[0]!, id: 2n ** 63n - 1n },
]
let fake: FakeBigQuery
let reader: BigQueryReader

function isTaken(row: LogScore): boolean {
  try {
    return archivedRow(row).warning === row.warning
  } catch {
    return false
  }
}

beforeAll(async () => {
  fake = await startFake()
  reader = new BigQueryReader(new Link({ projectId: fake.projectId, dataset }))
  const archiver = await prepared(fake)
  await store(archiver, batch(1n, rows), rows)
  const numbers = columns.map(({ name, type }) => ({ name, type: name === 'ts' ? ('INTEGER' as const) : type }))
  await fake.createTable(dataset, 'numbers', numbers)
  await archiver.prepare('numbers')
  await store(archiver, { ...batch(1n, rows), table: 'numbers' }, rows)
})
afterAll(() => fake.close())

async function read(range: IdRange, from = table): Promise<LogScore[]> {
  const found: LogScore[] = []
  for await (const chunk of reader.read(from, range, signal)) found.push(...rowsFromChunk(chunk))
  return found
}

const within = ({ afterId, upToId }: IdRange) => rows.filter(({ id }) => id > afterId && id <= upToId)

describe.each([table, 'numbers'])('%s', (name) => {
  test('gives back every row, in order, as it was converted', async () => {
    expect(await read(everything, name)).toEqual(rows.map(archivedRow))
  })

  test.each([
    { afterId: 1_000_000n, upToId: 1_000_100n },
    { afterId: 1_024_990n, upToId: 9_000_010n },
    { afterId: 5n, upToId: 6n },
    { afterId: 2n ** 63n - 2n, upToId: 2n ** 64n - 1n },
    { afterId: 2n ** 63n - 1n, upToId: 2n ** 64n - 1n },
  ])('reads and sums up the range $afterId to $upToId', async (range) => {
    expect(await read(range, name)).toEqual(within(range).map(archivedRow))
    expect(await reader.digest(name, range, signal)).toEqual(await digestOf(chunksFromRows(within(range))))
  })

  test('sums up the whole table', async () => {
    expect(await reader.digest(name, everything, signal)).toEqual(await digestOf(chunksFromRows(rows)))
  })
})

test('rows of the source become what read gives back', () => {
  const some = rows.slice(0, 500)
  expect(rowsFromChunk(reader.applyConversions(chunkFromRows(some)))).toEqual(some.map(archivedRow))
})

test('a missing table holds no rows', async () => {
  expect(await read(everything, 'missing')).toEqual([])
  expect(await reader.digest('missing', everything, signal)).toEqual({ rows: 0n, idSum: 0n, hashXor: 0n })
})

test('a row that is there twice comes twice, and does not cancel out', async () => {
  const archiver = archiverOf(fake)
  const few = ordinaryRows(3)
  await archiver.prepare('doubled')
  for (const id of [1n, 2n]) await store(archiver, { ...batch(id, few), table: 'doubled' }, few)
  expect((await read(everything, 'doubled')).map(({ id }) => id)).toEqual(few.flatMap(({ id }) => [id, id]))
  expect(await reader.digest('doubled', everything, signal)).toMatchObject({ rows: 6n, hashXor: 0n })
})

test('an aborted signal ends it with its reason', async () => {
  const reason = new Error('enough')
  await expect(reader.digest(table, everything, AbortSignal.abort(reason))).rejects.toBe(reason)
})
