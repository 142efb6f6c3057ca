import type { IdRange } from '@archiver/core'
import { digestOf, withoutIds } from '@archiver/core'
import { createSourceTables, generateRows, insertRows, type SourceRow } from '@archiver/testkit'
import { hostileRows } from '@archiver/testkit/arbitraries'
import { describeWithMySql } from '@archiver/testkit/vitest'
import fc from 'fast-check'
import type { Connection } from 'mysql2/promise'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MySqlRanges } from './ranges.js'
import { MySqlSource } from './source.js'

const everything = { afterId: 0n, upToId: 2n ** 64n - 1n }

await describeWithMySql('what the server computes of a range', (database) => {
  let connection: Connection
  beforeAll(async () => {
    connection = await database.connect()
  })
  afterAll(() => connection.end())

  async function table(name: string, rows: Iterable<SourceRow>): Promise<string> {
    await createSourceTables(connection, { table: name })
    await insertRows(connection, name, rows)
    return name
  }

  /** The server's digest must be the one of the rows as they are read. */
  async function expectEqual(name: string, range: IdRange, without: readonly bigint[] = []): Promise<void> {
    await using source = new MySqlSource({ settings: database.address, table: name })
    await using ranges = new MySqlRanges({ settings: database.address, table: name })
    const rows = withoutIds(source.read(range), BigUint64Array.from(without))
    const { times, ...digest } = await ranges.digest(range, without)
    expect(digest).toEqual(await digestOf(rows))
    for await (const { rows: count, tsSeconds } of source.read(range)) {
      for (const seconds of tsSeconds.subarray(0, count)) {
        expect(times.some(({ fromSeconds, toSeconds }) => fromSeconds <= seconds && seconds <= toSeconds)).toBe(true)
      }
    }
  }

  test('is the digest of its rows, in a narrow range and in a wide one', async () => {
    const name = await table('digests', generateRows({ rows: 2_000, firstId: 5_000_000_001n }))
    await expectEqual(name, everything)
    await expectEqual(name, { afterId: 5_000_000_100n, upToId: 5_000_001_900n })
    await expectEqual(name, { afterId: 5_000_000_100n, upToId: 5_000_001_900n }, [5_000_000_101n, 5_000_001_000n])
    await expectEqual(name, { afterId: 0n, upToId: 5n })
  })

  test('the times of a range are those of its rows, in days where one is far from the others', async () => {
    const day = 86_400
    const noon = 1_793_448_000
    const rows = [...generateRows({ rows: 40 })].map((row, i) => ({ ...row, tsSeconds: noon + i * 60 }))
    const name = await table('row_times', rows.with(7, { ...rows[7]!, tsSeconds: noon - 400 * day }))
    await using ranges = new MySqlRanges({ settings: database.address, table: name })
    const afterEighth = { afterId: rows[7]!.id, upToId: rows[39]!.id }
    expect((await ranges.digest(afterEighth)).times).toEqual([
      { fromSeconds: noon + 8 * 60, toSeconds: noon + 39 * 60 },
    ])
    const midnight = noon - (noon % day)
    const ofDay = (start: number) => ({ fromSeconds: start, toSeconds: start + day - 1 })
    expect((await ranges.digest(everything)).times).toEqual([ofDay(midnight - 400 * day), ofDay(midnight)])
    // Of rows that do not count, too.
    expect((await ranges.digest(everything, [rows[7]!.id])).times).toHaveLength(2)
    expect((await ranges.digest({ afterId: 2n ** 40n, upToId: 2n ** 41n })).times).toEqual([])
  })

  test('is exact for any ids, servers and times', { timeout: 120_000 }, async () => {
    let number = 0
    const property = fc.asyncProperty(hostileRows(60), async (rows) => {
      const name = await table(`hostile_${number++}`, rows)
      const ids = rows.map(({ id }) => id)
      await expectEqual(name, everything)
      for (const id of ids.slice(0, 3)) await expectEqual(name, { afterId: id - 1n, upToId: id + 2n ** 20n })
      await connection.query(`drop table ${name}_archive_status, ${name}`)
    })
    await fc.assert(property, { numRuns: 10 })
  })

  test('the rows from a time on, and up to one, though ids and times do not rise together', async () => {
    const rows = [...generateRows({ rows: 500, rowsPerSecond: 1 })]
    const name = await table('times', rows)
    await using ranges = new MySqlRanges({ settings: database.address, table: name })
    for (const { tsSeconds: seconds } of [rows[0]!, rows[250]!, rows[499]!]) {
      const from = rows.filter(({ tsSeconds }) => tsSeconds >= seconds).map(({ id }) => id)
      const upTo = rows.filter(({ tsSeconds }) => tsSeconds <= seconds).map(({ id }) => id)
      expect(await ranges.idFrom(seconds)).toBe(from.toSorted(byValue)[0])
      expect(await ranges.idUpTo(seconds)).toBe(upTo.toSorted(byValue).at(-1))
    }
    expect(await ranges.idFrom(0)).toBe(rows[0]!.id)
    expect(await ranges.idFrom(-1)).toBe(rows[0]!.id)
    expect(await ranges.idUpTo(253_402_300_799)).toBe(rows[499]!.id)
    expect(await ranges.idFrom(rows[499]!.tsSeconds + 1_000_000)).toBeNull()
    expect(await ranges.idUpTo(0)).toBeNull()
    const times = rows.map(({ tsSeconds }) => tsSeconds)
    expect(await ranges.times()).toEqual({ firstTsSeconds: Math.min(...times), lastTsSeconds: Math.max(...times) })
  })

  test('a table without rows has no times', async () => {
    await using ranges = new MySqlRanges({ settings: database.address, table: await table('empty', []) })
    expect(await ranges.times()).toBeNull()
    expect(await ranges.idFrom(0)).toBeNull()
  })
})

function byValue(a: bigint, b: bigint): number {
  return a < b ? -1 : 1
}
