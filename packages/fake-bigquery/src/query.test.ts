import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FakeBigQuery } from './contract.js'
import { startFakeBigQuery } from './start.js'
import { AvroFolder, clientOf, loadOf, multipart, rowsFrom } from './test-support.js'

const files = new AvroFolder()
const table = '`test-project.ntp.rows`'
const rows = [...rowsFrom(1, 3000), ...rowsFrom(10_000, 2000)]
let fake: FakeBigQuery

beforeAll(async () => {
  fake = await startFakeBigQuery()
  await fake.createDataset({ id: 'ntp', location: 'europe-west1' })
  for (const part of [rows.slice(3000), rows.slice(0, 3000)]) {
    await multipart(fake, { configuration: { load: loadOf('rows') } }, await files.write(part))
  }
  await fake.release()
})
afterAll(async () => {
  await fake.close()
  await files.remove()
})

/** The answer as the client reads it, whole numbers as text. */
async function ask(query: string, params?: Record<string, unknown>) {
  const wrapIntegers = { integerTypeCastFunction: BigInt }
  const [found] = await clientOf(fake).query({ query, wrapIntegers, ...(params ? { params } : {}) })
  return found as Record<string, unknown>[] // rows are plain objects
}

/** The message that a query fails with. */
async function refusal(query: string, params?: Record<string, unknown>): Promise<string> {
  return ask(query, params).then(
    () => 'it works',
    (thrown: Error) => thrown.message,
  )
}

test('the digest of a range is what the rows make', async () => {
  const [found] = await ask(
    `SELECT COUNT(*) AS row_count, CAST(SUM(CAST(id AS BIGNUMERIC)) AS STRING) AS id_sum,
       BIT_XOR(MOD(id + 7 * 1000003 + UNIX_SECONDS(ts) * 8191, 2147483647) * 2654435761) AS hash_xor
     FROM ${table} WHERE id > @after_id AND id <= @up_to_id`,
    { after_id: 100, up_to_id: 10_500 },
  )
  const within = rows.filter(({ id }) => id > 100 && id <= 10_500)
  const hash = ({ id, ts }: { id: number; ts: number }) =>
    ((BigInt(id) + 7n * 1000003n + BigInt(ts / 1_000_000) * 8191n) % 2147483647n) * 2654435761n
  expect(found).toEqual({
    row_count: BigInt(within.length),
    id_sum: String(within.reduce((sum, { id }) => sum + id, 0)),
    hash_xor: within.reduce((xor, row) => xor ^ hash(row), 0n),
  })
})

test('of no rows there is no sum', async () => {
  const nothing = `SELECT COUNT(*) AS n, SUM(id) AS s, BIT_XOR(id) AS x, MIN(id) AS a, MAX(ts) AS z FROM ${table} WHERE id < 0`
  expect(await ask(nothing)).toEqual([{ n: 0n, s: null, x: null, a: null, z: null }])
})

test('rows come in order of id, page by page', async () => {
  const sql = `SELECT id, UNIX_SECONDS(ts) AS ts_seconds, score, error FROM ${table} WHERE id > 10 ORDER BY id`
  const client = clientOf(fake)
  const [job] = await client.createQueryJob({ query: sql })
  const found: unknown[] = []
  let pages = 0
  for (let options: object | undefined = { maxResults: 700, autoPaginate: false }; options; pages++) {
    const [page, next] = (await job.getQueryResults(options)) as unknown as [unknown[], object?] // its types know one of them
    found.push(...page)
    options = next ?? undefined
  }
  const expected = rows.slice(10).map(({ ts, ...row }) => ({ ...row, ts_seconds: ts / 1_000_000 }))
  expect(found).toEqual(expected)
  expect(pages).toBe(Math.ceil(expected.length / 700))
})

test('the job runs where the dataset is', async () => {
  const [job] = await clientOf(fake).createQueryJob({ query: `SELECT COUNT(*) AS n FROM ${table}` })
  expect(job.location).toBe('europe-west1')
  const [elsewhere] = await clientOf(fake).createQueryJob({
    query: `SELECT COUNT(*) AS n FROM ${table}`,
    location: 'US',
  })
  await expect(elsewhere.getQueryResults()).rejects.toThrow('was not found in location US')
})

describe('values', () => {
  test('a TIMESTAMP is one for the client', async () => {
    const [found] = await ask(`SELECT ts FROM ${table} ORDER BY id LIMIT 1`)
    expect(found?.ts).toMatchObject({ value: '2023-11-14T22:13:20.000Z' })
  })

  test('lists, nulls and groups', async () => {
    const sql = `SELECT error IS NULL AS none, COUNT(*) AS n, COUNT(DISTINCT id) AS ids FROM ${table}
      WHERE id IN UNNEST(@ids) AND NOT id BETWEEN 2 AND 3 GROUP BY none ORDER BY none`
    expect(await ask(sql, { ids: [1, 2, 3, 4, 5, 6] })).toEqual([
      { none: false, n: 2n, ids: 2n },
      { none: true, n: 2n, ids: 2n },
    ])
  })

  test('NULL is in front of all values', async () => {
    const ends = [
      `SELECT error FROM ${table} ORDER BY error LIMIT 1`,
      `SELECT error FROM ${table} ORDER BY error DESC LIMIT 1`,
    ]
    const [[first], [last]] = [await ask(ends[0]!), await ask(ends[1]!)]
    expect([first?.error, typeof last?.error]).toEqual([null, 'string'])
  })

  test('an integer that leaves 64 bits fails the query', async () => {
    expect(await refusal(`SELECT SUM(id + 9223372036854770000) AS s FROM ${table}`)).toContain('overflow')
    expect(await refusal(`SELECT id * 9223372036854770000 AS s FROM ${table} WHERE id = 5`)).toContain('overflow')
  })
})

describe('a table that requires a partition filter', () => {
  const strict = '`test-project.ntp.strict`'
  const refused = "Cannot query over table 'ntp.strict' without a filter over column(s) 'ts'"
  beforeAll(() =>
    fake.createTable(
      'ntp',
      'strict',
      [
        { name: 'id', type: 'INTEGER' },
        { name: 'ts', type: 'TIMESTAMP' },
      ],
      {
        timePartitioning: { type: 'DAY', field: 'ts' },
        requirePartitionFilter: true,
      },
    ),
  )

  test.each([
    '',
    'WHERE id > 5',
    'WHERE UNIX_SECONDS(ts) > 5',
    'WHERE ts != TIMESTAMP_SECONDS(5)',
    'WHERE ts IS NOT NULL',
    'WHERE ts > TIMESTAMP_SECONDS(5) OR id > 5',
    'WHERE NOT ts > TIMESTAMP_SECONDS(5)',
    'WHERE ts > TIMESTAMP_SECONDS(id)',
  ])('refuses %s', async (where) => {
    expect(await refusal(`SELECT COUNT(*) AS n FROM ${strict} ${where}`)).toContain(refused)
  })

  test.each([
    'WHERE ts > TIMESTAMP_SECONDS(5)',
    'WHERE id > 5 AND TIMESTAMP_SECONDS(5 * 2) <= ts',
    'WHERE ts BETWEEN TIMESTAMP_SECONDS(5) AND TIMESTAMP_SECONDS(6)',
    'WHERE (ts < TIMESTAMP_SECONDS(5) OR (ts > TIMESTAMP_SECONDS(9) AND id > 5))',
    'WHERE ts IN (TIMESTAMP_SECONDS(5), TIMESTAMP_SECONDS(6))',
  ])('takes %s', async (where) => {
    expect(await ask(`SELECT COUNT(*) AS n FROM ${strict} ${where}`)).toEqual([{ n: 0n }])
  })
})

const wrong: [string, string][] = [
  [`SELECT nonsense FROM ${table}`, 'Unrecognized name: nonsense at [1:8]'],
  [
    `SELECT DIV(ts, 1000000) FROM ${table}`,
    'No matching signature for function DIV for argument types: TIMESTAMP, INT64',
  ],
  [`SELECT UNIX_SECONDS(id) FROM ${table}`, 'No matching signature for function UNIX_SECONDS'],
  [`SELECT id FROM ${table} WHERE ts > 5`, 'No matching signature for operator >'],
  [`SELECT groupBitXor(id) FROM ${table}`, 'Function not found: groupBitXor'],
  [`SELECT COUNT(*) AS rows FROM ${table}`, 'Syntax error: Unexpected "rows"'],
  [`SELECT id FROM ${table} WHERE id`, 'WHERE clause should return type BOOL'],
  [`SELECT id AS x FROM ${table} WHERE x > 5`, 'Unrecognized name: x'],
  [`SELECT id FROM ${table} WHERE id > @missing`, "Query parameter 'missing' not found"],
  ['SELECT id FROM `test-project.ntp.none`', 'Not found: Table test-project:ntp.none'],
]
test.each(wrong)('refuses %s', async (sql, why) => {
  expect(await refusal(sql)).toContain(why)
})
