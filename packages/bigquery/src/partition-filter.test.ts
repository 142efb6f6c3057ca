import { ordinaryRows } from '@archiver/conformance'
import { chunksFromRows, digestOf, joinSpans, type LogScore } from '@archiver/core'
import { verifyArchive } from '@archiver/core/reconcile'
import type { FakeBigQuery } from '@archiver/fake-bigquery'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { columns } from './table.js'
import { archiverOf, batch, dataset, prepared, rowsIn, startFake, store, stored, table } from './testing/fake.js'

const day = 86_400
const { signal } = new AbortController()
const fields = columns.map(({ name, type, mode }) => ({ name, type, mode }))
/** Rows of three days in November 2026, and one that was measured in 2001. */
const noon = 1_794_139_200
const rows: LogScore[] = ordinaryRows(300).map((row, i) => ({
  ...row,
  tsSeconds: i === 150 ? 1_000_000_000 : noon + Math.floor(i / 100) * day + i,
}))
const first = rows[0]!.id - 1n
const range = { afterId: first, upToId: rows.at(-1)!.id }
const times = timesOf(rows)
let fake: FakeBigQuery
let asked: number
let nextBatch = 0n

beforeAll(async () => {
  fake = await startFake()
})
afterAll(() => fake.close())

/** A table of somebody who insists on a condition on the days. */
beforeEach(async () => {
  await fake.deleteTable(dataset, table).catch(() => {})
  const timePartitioning = { type: 'DAY', field: 'ts' }
  await fake.createTable(dataset, table, fields, { timePartitioning, requirePartitionFilter: true })
  nextBatch += 10n
  await store(await prepared(fake), batch(nextBatch, rows), rows)
  asked = (await fake.requests()).length
})

function timesOf(some: readonly LogScore[]) {
  return joinSpans(some.map(({ tsSeconds }) => ({ fromSeconds: tsSeconds, toSeconds: tsSeconds })))
}

interface QueryParameter {
  readonly name: string
  readonly parameterValue: { readonly value: string }
}

/** The days that each query since the last call asked for: [from, before] in whole days since 1970, a pair a span. */
async function daysAsked(): Promise<number[][][]> {
  const all = await fake.requests()
  const since = all.slice(asked)
  asked = all.length
  return since.flatMap(({ body }) => {
    const query = (body as { configuration?: { query?: { queryParameters: QueryParameter[] } } } | undefined) // of jobs.insert
      ?.configuration?.query
    if (query === undefined) return []
    const value = (name: string) => {
      const found = query.queryParameters.find((parameter) => parameter.name === name)
      return found && Number(found.parameterValue.value)
    }
    const spans: number[][] = []
    for (let i = 0; value(`from_ts_${i}`) !== undefined; i++) {
      spans.push([value(`from_ts_${i}`)!, value(`before_ts_${i}`)!].map((seconds) => Math.floor(seconds / day)))
    }
    return [spans]
  })
}

/** The days of the rows and one more on either side. */
const allowed = times.map(({ fromSeconds, toSeconds }) => [fromSeconds / day - 1, toSeconds / day + 1].map(Math.floor))

async function expectBounded(questions: number): Promise<void> {
  const asked = await daysAsked()
  expect(asked).toHaveLength(questions)
  for (const spans of asked) {
    expect(spans.length).toBeGreaterThan(0)
    for (const [from, before] of spans) {
      expect(allowed.some(([low, high]) => from! >= low! && before! <= high! + 1)).toBe(true)
    }
  }
}

function verify(source: readonly LogScore[], deep = false) {
  const within = ({ afterId, upToId }: typeof range) => source.filter(({ id }) => id > afterId && id <= upToId)
  return verifyArchive({
    source: {
      nextId: async () => 0n,
      existingIds: async () => [],
      firstId: async (part) => within(part)[0]?.id ?? null,
      read: (part) => chunksFromRows(within(part), 50),
      digest: async (part) => ({ ...(await digestOf(chunksFromRows(within(part)))), times: timesOf(within(part)) }),
    },
    reader: archiverOf(fake).reader,
    ...{ table, range, deep, signal, skipped: new BigUint64Array(), identities: [] },
  })
}

test('the rows are of two spans: the row of another year costs its own days, not all between', () => {
  expect(times).toHaveLength(2)
})

test('sums of a range', async () => {
  const digest = await archiverOf(fake).reader.digest(table, { ...range, times }, signal)
  expect(digest).toEqual(await digestOf(chunksFromRows(rows)))
  await expectBounded(1)
})

test('rows of a range', async () => {
  let read = 0
  for await (const chunk of archiverOf(fake).reader.read(table, { ...range, times }, signal)) read += chunk.rows
  expect(read).toBe(300)
  await expectBounded(2)
})

test.each([false, true])('verifying what is the same (deep: %s)', async (deep) => {
  expect((await verify(rows, deep)).named).toEqual([])
  await expectBounded(deep ? 2 : 1)
})

test('verifying what is different', async () => {
  const changed = rows.with(9, { ...rows[9]!, serverId: 77 })
  expect((await verify(changed)).named).toMatchObject([{ kind: 'different', id: rows[9]!.id }])
  await expectBounded(3)
})

test('a missing row is looked for on all days once, before it may be stored', async () => {
  const more = { ...rows[0]!, id: range.upToId - 1n + 1n }
  const source = [...rows.slice(0, -1), { ...more, tsSeconds: rows.at(-1)!.tsSeconds + 40 * day }]
  // The archive has the last row at another time than the source says now.
  expect((await verify(source)).named).toMatchObject([{ kind: 'different', id: range.upToId }])
})

test('looking up an unfinished batch, whole and in part', async () => {
  const archiver = await prepared(fake)
  expect(await stored(archiver, batch(nextBatch, rows), rows)).toMatchObject({ kind: 'all' })
  await expectBounded(1)
  const more = [...rows, { ...rows.at(-1)!, id: range.upToId + 1n }]
  expect(await stored(archiver, batch(nextBatch + 1n, more), more)).toMatchObject({ kind: 'some' })
  await expectBounded(3)
})

test('a scan, with a time and without one', async () => {
  const { reader } = archiverOf(fake)
  const count = async (query: object) => {
    let read = 0
    for await (const chunk of reader.scan(table, { ...range, ...query }, signal)) read += chunk.rows
    return read
  }
  expect(await count({})).toBe(300)
  expect(await count({ serverId: rows[3]!.serverId, limit: 1 })).toBe(1)
  expect(await count({ fromSeconds: noon, toSeconds: noon + 10 })).toBe(11)
  expect(await rowsIn(fake)).toHaveLength(300)
})
