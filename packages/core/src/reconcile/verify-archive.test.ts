import { describe, expect, test } from 'vitest'
import type { RowRange } from '../contract/archive-reader.js'
import { ArchiverError } from '../contract/errors.js'
import type { LogScore } from '../contract/log-score.js'
import { MemoryReader, MemorySource, rowsOf, timesOf, upTo } from './test-support.js'
import { type VerifyOptions, verifyArchive } from './verify-archive.js'

const rows = rowsOf(upTo(100_000))

function byId(a: LogScore, b: LogScore): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}

function verify(source: MemorySource, reader: VerifyOptions['reader'], change: Partial<VerifyOptions> = {}) {
  return verifyArchive({
    source,
    reader,
    table: 'log_scores',
    range: { afterId: 0n, upToId: 100_000n },
    skipped: new BigUint64Array(),
    identities: [],
    deep: false,
    signal: new AbortController().signal,
    ...change,
  })
}

describe('by sums', () => {
  test('an archive that is the same is asked once and not read', async () => {
    const [source, reader] = [new MemorySource(rows), new MemoryReader(rows)]
    const found = await verify(source, reader)
    expect(found).toMatchObject({ rows: 100_000, named: [], missing: [] })
    expect(reader.digests).toBe(1)
    expect(source.rowsRead).toBe(0)
  })

  test('a difference is narrowed down by halves: little is read, each row is counted once', async () => {
    const source = new MemorySource(rows)
    const found = await verify(source, new MemoryReader(rows.filter(({ id }) => id !== 77_777n)))
    expect(found.named).toEqual([{ kind: 'missing', firstId: 77_777n, lastId: 77_777n, rows: 1 }])
    expect(found.rows).toBe(100_000)
    expect(source.rowsRead).toBeLessThan(20_000)
  })

  test('an archive that has nothing is not narrowed down', async () => {
    const reader = new MemoryReader([])
    const found = await verify(new MemorySource(rows), reader)
    expect(found.counts).toMatchObject({ missing: 100_000 })
    expect(found.named).toEqual([{ kind: 'missing', firstId: 1n, lastId: 100_000n, rows: 100_000 }])
    expect(reader.digests).toBe(1)
  })
})

describe.each([false, true])('while the source changes (every column: %s)', (deep) => {
  test('rows that cleanup deletes meanwhile are not extra', async () => {
    const source = new MemorySource(rows)
    class Deleting extends MemoryReader {
      override async digest(table: string, range: Parameters<MemoryReader['digest']>[1]) {
        source.rows = rows.slice(30_000)
        return super.digest(table, range)
      }
      override read(table: string, range: Parameters<MemoryReader['read']>[1]) {
        source.rows = rows.slice(40_000)
        return super.read(table, range)
      }
    }
    const found = await verify(source, new Deleting(rows), { deep })
    expect(found.named).toEqual([])
  })

  test('what lies below the first row is not compared; an empty source is nothing to compare', async () => {
    const found = await verify(new MemorySource(rows.slice(500)), new MemoryReader(rows), { deep })
    expect(found).toMatchObject({ range: { afterId: 500n, upToId: 100_000n }, rows: 99_500, named: [] })
    expect(await verify(new MemorySource([]), new MemoryReader(rows), { deep })).toMatchObject({ range: null, rows: 0 })
  })
})

describe('a table without a key on the id is told when the rows were measured', () => {
  const day = 86_400
  const noon = 1_793_491_200
  /** Two days of rows, one of another year among them. */
  const dated = rows.slice(0, 30_000).map((row, i) => ({
    ...row,
    tsSeconds: i === 777 ? 1_000_000_000 : noon + (i < 20_000 ? 0 : day),
  }))
  const range = { afterId: 0n, upToId: 30_000n }

  /** Reads only the days that it is told of, and one more on either side. */
  class DatedReader extends MemoryReader {
    readonly asked: RowRange[] = []
    override async digest(table: string, range: RowRange) {
      this.asked.push(range)
      return new MemoryReader(this.seen(range)).digest(table, range)
    }
    override read(table: string, range: RowRange) {
      this.asked.push(range)
      return new MemoryReader(this.seen(range)).read(table, range)
    }
    /** How often it was asked about all days. */
    get wholeScans() {
      return this.asked.filter(({ times = [] }) => times.length === 0).length
    }
    private seen({ times = [] }: RowRange) {
      const isSeen = ({ tsSeconds }: LogScore) =>
        times.some((span) => tsSeconds >= span.fromSeconds - day && tsSeconds <= span.toSeconds + day)
      return times.length === 0 ? this.rows : this.rows.filter(isSeen)
    }
  }

  const source = () => new MemorySource(dated)
  const without = (...ids: bigint[]) => dated.filter(({ id }) => !ids.includes(id))
  const changed = (id: bigint, tsSeconds: number) => dated.map((row) => (row.id === id ? { ...row, tsSeconds } : row))

  test.each([false, true])('of rows that are the same it reads their days alone (deep: %s)', async (deep) => {
    const reader = new DatedReader(dated)
    expect((await verify(source(), reader, { range, deep })).named).toEqual([])
    expect(reader.asked).toHaveLength(1)
    expect(reader.asked[0]!.times).toEqual(timesOf(dated))
    expect(reader.asked[0]!.times).toHaveLength(2)
  })

  test('what differs is narrowed down within the same days', async () => {
    const reader = new DatedReader([...dated, { ...dated[9]!, tsSeconds: noon + 3600 }].sort(byId))
    const found = await verify(source(), reader, { range })
    expect(found.counts).toMatchObject({ doubled: 1, different: 1, missing: 0 })
    expect(reader.wholeScans).toBe(0)
  })

  test('a row of another time is different, not missing: before it could be stored again, all days are looked at', async () => {
    const reader = new DatedReader(changed(25_000n, noon + 90 * day))
    const found = await verify(source(), reader, { range })
    expect(found.named).toMatchObject([{ kind: 'different', id: 25_000n, columns: [{ column: 'ts' }] }])
    expect(found.missing).toEqual([])
  })

  test('a row that is nowhere is missing; all days are asked once', async () => {
    const reader = new DatedReader(without(778n, 25_000n))
    const found = await verify(source(), reader, { range })
    expect(found.missing).toEqual([
      { afterId: 777n, upToId: 778n },
      { afterId: 24_999n, upToId: 25_000n },
    ])
    expect(reader.wholeScans).toBe(1)
  })

  test('more rows than can be late are not looked for elsewhere', async () => {
    const reader = new DatedReader(dated.slice(0, 20_000))
    expect((await verify(source(), reader, { range })).counts).toMatchObject({ missing: 10_000 })
    expect(reader.wholeScans).toBe(0)
  })

  test('a copy on a day far away is found where all days are to be looked at', async () => {
    const reader = new DatedReader([...dated, { ...dated[9]!, tsSeconds: noon - 90 * day }].sort(byId))
    expect((await verify(source(), reader, { range })).named).toEqual([])
    expect(reader.wholeScans).toBe(0)
    const found = await verify(source(), reader, { range, allDays: true })
    expect(found.counts).toMatchObject({ doubled: 1, different: 1 })
    expect(found.rows).toBe(30_000)
  })

  test('rows that were taken out are looked for on their own days', async () => {
    const skipped = BigUint64Array.of(778n)
    const reader = new DatedReader(dated)
    expect((await verify(source(), reader, { range, skipped })).counts).toMatchObject({ extra: 1 })
    expect(reader.wholeScans).toBe(0)
  })
})

describe('what cannot be read', () => {
  const damage = new ArchiverError('file x is truncated', { code: 'AVRO_TRUNCATED' })

  class Damaged extends MemoryReader {
    readonly error: Error
    constructor(error: Error) {
      super(rows)
      this.error = error
    }
    override async digest(table: string, range: Parameters<MemoryReader['digest']>[1]) {
      if (range.afterId >= 20_000n && range.upToId <= 60_000n) throw this.error
      return super.digest(table, range)
    }
  }
  class DamagedFiles extends Damaged {
    override readonly layout = 'files'
    async splitPoints() {
      return [20_000n, 40_000n, 60_000n, 80_000n]
    }
  }

  test('is a finding for a file, once, and the others are verified', async () => {
    const source = new MemorySource([
      ...rows.slice(0, 90_000),
      ...rowsOf([90_001], { serverId: 5 }),
      ...rows.slice(90_001),
    ])
    expect((await verify(source, new DamagedFiles(damage))).named).toEqual([
      { kind: 'unreadable', code: 'AVRO_TRUNCATED', message: 'file x is truncated' },
      { kind: 'different', id: 90_001n, columns: [{ column: 'server_id', source: 5, archive: 9 }] },
    ])
  })

  test.each([
    ['an archive that is not files', new Damaged(damage)],
    ['a table, though it says where to cut', Object.assign(new Damaged(damage), { cuts: async () => [40_000n] })],
    ['a failure that passes', new DamagedFiles(new ArchiverError('busy', { code: 'X', retryable: true }))],
    ['anything else', new DamagedFiles(new TypeError('a defect'))],
  ])('ends the verification for %s', async (_, reader) => {
    const whole = { afterId: 20_000n, upToId: 60_000n }
    await expect(verify(new MemorySource(rows), reader, { range: whole })).rejects.toBe(reader.error)
  })

  test('a source that cannot be read is no finding', async () => {
    class Failing extends MemorySource {
      override digest(): Promise<never> {
        return Promise.reject(damage)
      }
    }
    await expect(verify(new Failing(rows), new DamagedFiles(damage))).rejects.toBe(damage)
  })
})

test('memory of what is wrong is bounded', async () => {
  const found = await verify(new MemorySource(rows), new MemoryReader(rows.filter(({ id }) => id % 2n === 0n)), {
    deep: true,
    mostNamed: 10,
  })
  expect(found.counts).toMatchObject({ missing: 50_000 })
  expect(found.named).toHaveLength(10)
  expect(found.missing).toHaveLength(1_000)
  expect(found.missingMore).toBe(true)
})

describe('rows that were deleted from the source', () => {
  const isDeleted = ({ id }: LogScore): boolean => id % 10_000n === 7n || (id > 50_000n && id <= 50_100n)
  const archived = rows.map((row) => (row.id > 50_000n ? { ...row, serverId: 11 } : row))

  test.each([false, true])('are counted with their servers and are not a finding (deep: %s)', async (deep) => {
    const source = new MemorySource(archived.filter((row) => !isDeleted(row)))
    source.next = 100_001n
    const found = await verify(source, new MemoryReader(archived), { deep })
    expect(found).toMatchObject({ named: [], counts: { extra: 0, missing: 0 } })
    const servers = [
      { serverId: 9, rows: 5 },
      { serverId: 11, rows: 104 },
    ]
    expect(found.deleted).toEqual({ rows: 109, servers, moreServers: false })
  })

  test('of more servers than are named', async () => {
    const ofMany = rows.map((row) => ({ ...row, serverId: Number(row.id % 30n) }))
    const source = new MemorySource(ofMany.filter(({ id }) => id > 1_000n || id <= 100n))
    source.next = 100_001n
    const { deleted } = await verify(source, new MemoryReader(ofMany))
    expect(deleted).toMatchObject({ rows: 900, moreServers: true })
    expect(deleted.servers).toHaveLength(20)
  })

  test.each([false, true])('by the cleaner, around rows that were kept, are not read (deep: %s)', async (deep) => {
    const kept = new Set([3n, 30_000n, 70_000n])
    const source = new MemorySource(rows.filter(({ id }) => id > 90_000n || kept.has(id)))
    source.next = 100_001n
    const reader = new MemoryReader(rows.filter(({ id }) => id !== 30_000n))
    const found = await verify(source, reader, { deep, cleanedUpTo: async () => 90_000n })
    expect(found.deleted.rows).toBe(0)
    expect(found.named).toEqual([{ kind: 'missing', firstId: 30_000n, lastId: 30_000n, rows: 1 }])
    expect(found.range).toEqual({ afterId: 2n, upToId: 100_000n })
    expect(found.rows).toBe(10_003)
  })
})
