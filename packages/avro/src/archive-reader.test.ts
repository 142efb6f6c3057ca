import { ordinaryRows } from '@archiver/conformance'
import { chunksFromRows, type LogScore, rowsFromChunk, type ScanQuery } from '@archiver/core'
import { verifyArchive } from '@archiver/core/reconcile'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AvroArchiveReader, type AvroPart, type AvroShelf } from './archive-reader.js'
import { archivedRow, exactRow } from './convert.js'
import { mergeById } from './merge.js'
import { type RowSelection, readLogScores } from './reader.js'
import { fileOf, pieces, rowsOf } from './test-support.js'

const { signal } = new AbortController()
const everything = { afterId: 0n, upToId: 2n ** 63n - 1n }

/** Files in memory; `opened` names those that were read. */
class MemoryShelf implements AvroShelf {
  readonly opened: string[] = []
  readonly files: readonly Omit<AvroPart, 'open'>[]
  readonly bytes: ReadonlyMap<string, Buffer>

  constructor(files: readonly (Omit<AvroPart, 'open'> & { readonly bytes: Buffer })[]) {
    this.files = files
    this.bytes = new Map(files.map(({ name, bytes }) => [name, bytes]))
  }

  async parts(): Promise<AvroPart[]> {
    return this.files.map((file) => ({ ...file, open: (selection) => this.open(file.name, selection) }))
  }

  async names(): Promise<ReadonlySet<string>> {
    return new Set(this.bytes.keys())
  }

  private open(name: string, selection: RowSelection) {
    this.opened.push(name)
    return readLogScores(pieces(this.bytes.get(name)!), { ...selection, name, rowsPerChunk: 13 })
  }
}

async function fileWith(name: string, rows: readonly LogScore[], saysItsEnd = true) {
  return { name, firstId: rows[0]!.id, upToId: saysItsEnd ? rows.at(-1)!.id : undefined, bytes: await fileOf(rows) }
}

async function read(shelf: AvroShelf, range = everything): Promise<LogScore[]> {
  const rows: LogScore[] = []
  for await (const chunk of new AvroArchiveReader(shelf).read('t', range, signal)) rows.push(...rowsFromChunk(chunk))
  return rows
}

const rows = ordinaryRows(60)
const { id: lastId } = rows.at(-1)!

test.each([
  [1, archivedRow],
  [2, exactRow],
] as const)(
  'no bit of a file of version %i can be flipped unseen, unless the rows stay the same',
  {
    timeout: 120_000,
  },
  async (schema, convert) => {
    // As the source has them for this version: with the text of their attributes where that is stored.
    const some = rows.slice(0, 25).map((row) => (schema === 2 ? exactRow(row) : row))
    const file = { ...(await fileWith('one.avro', some)), bytes: await fileOf(some, { schema }) }
    const stored = some.map(convert)
    let unseen = 0
    for (let bit = 0; bit < file.bytes.length * 8; bit++) {
      const bytes = Buffer.from(file.bytes)
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      const reader = new AvroArchiveReader(new MemoryShelf([{ ...file, bytes }]))
      const { named } = await verifyArchive({
        source: {
          nextId: async () => 0n,
          existingIds: async () => [],
          firstId: async () => some[0]!.id,
          read: () => chunksFromRows(some),
          digest: () => Promise.reject(new Error('not asked')),
        },
        reader,
        table: 't',
        range: { afterId: file.firstId - 1n, upToId: file.upToId! },
        skipped: new BigUint64Array(),
        identities: [],
        deep: true,
        signal,
      })
      if (named.length > 0) continue
      unseen += 1
      expect(await rowsOf(reader.read('t', everything, signal))).toEqual(stored)
    }
    // Those of the header that say nothing of rows.
    expect(unseen).toBeLessThan(file.bytes.length)
  },
)

describe('only files that may hold rows of the range are read', () => {
  test.each([true, false])('where they say their end: %s', async (saysItsEnd) => {
    const files = [0, 20, 40].map((from) => fileWith(`${from}.avro`, rows.slice(from, from + 20), saysItsEnd))
    const shelf = new MemoryShelf(await Promise.all(files))
    const range = { afterId: rows[24]!.id, upToId: rows[29]!.id }
    expect(await read(shelf, range)).toEqual(rows.slice(25, 30).map(archivedRow))
    expect(shelf.opened).toEqual(['20.avro'])
  })

  test('the end of the last file that does not say it is learned by reading it', async () => {
    const shelf = new MemoryShelf([await fileWith('old.avro', rows.slice(0, 20), false)])
    const reader = new AvroArchiveReader(shelf)
    const after = { afterId: rows[30]!.id, upToId: lastId }
    for (let i = 0; i < 3; i++) expect(await rowsOf(reader.read('t', after, signal))).toEqual([])
    expect(shelf.opened).toEqual(['old.avro'])
  })
})

describe('only files that may hold rows of a time are read', () => {
  const day = 86_400
  /** A file of every tenth row, all of one day but for those that `late` names: they were measured so many seconds before. */
  async function shelfOf(late: Readonly<Record<number, number>>, says = true) {
    const days = rows.map((row, i) => ({
      ...row,
      tsSeconds: (10 + Math.floor(i / 10)) * day + 60 * i - (late[i] ?? 0),
    }))
    const files = [0, 10, 20, 30, 40, 50].map(async (from) => ({
      ...(await fileWith(`${from}.avro`, days.slice(from, from + 10), says)),
      firstSeconds: days[from]!.tsSeconds,
    }))
    return { shelf: new MemoryShelf(await Promise.all(files)), days }
  }
  const scan = (shelf: MemoryShelf, query: Partial<ScanQuery>) =>
    rowsOf(new AvroArchiveReader(shelf).scan('t', { ...everything, ...query }, signal))

  test.each([true, false])('with a day to spare at both ends; they say where they end: %s', async (says) => {
    const { shelf, days } = await shelfOf({}, says)
    const query = { fromSeconds: 13 * day, toSeconds: 14 * day - 1 }
    expect(await scan(shelf, query)).toEqual(days.slice(30, 40).map(archivedRow))
    expect(shelf.opened).toEqual(['10.avro', '20.avro', '30.avro', '40.avro'])
    shelf.opened.length = 0
    expect(await scan(shelf, { ...query, slackSeconds: 0 })).toEqual(days.slice(30, 40).map(archivedRow))
    expect(shelf.opened).toEqual(['20.avro', '30.avro'])
  })

  test('a row that was measured within the slack is found, in a file that begins after the time asked for', async () => {
    const { shelf, days } = await shelfOf({ 45: day - 3_600 })
    const found = await scan(shelf, { fromSeconds: 13 * day, toSeconds: 14 * day - 1 })
    expect(found.map(({ id }) => id)).toEqual([...days.slice(30, 40), days[45]!].map(({ id }) => id))
    const missed = await scan(shelf, { fromSeconds: 13 * day, toSeconds: 14 * day - 1, slackSeconds: 0 })
    expect(missed).toHaveLength(10)
  })

  test('the last file, whose end is not known, is opened for any later time', async () => {
    const { shelf } = await shelfOf({})
    expect(await scan(shelf, { fromSeconds: 500 * day })).toEqual([])
    expect(shelf.opened).toEqual(['50.avro'])
  })

  test('rows that are left out are checked all the same', async () => {
    const [first, second, third] = rows
    const shelf = new MemoryShelf([await fileWith('x.avro', [first!, third!, second!])])
    const query = { serverId: first!.serverId }
    await expect(scan(shelf, query)).rejects.toMatchObject({ code: 'AVRO_DAMAGED' })
  })
})

describe('what no checksum tells of', () => {
  const others = ordinaryRows(20, lastId + 1n)

  test.each([
    ['ids that descend', { rows: [rows[0]!, rows[2]!, rows[1]!] }, /row 1000002 comes after row 1000003/],
    ['a first row that the name does not say', { rows: rows.slice(1), firstId: 1n }, /begins with row 1000002/],
    ['a row beyond the end', { rows: [...rows, ...others], upToId: lastId }, /holds rows up to 1000065/],
  ])('%s', async (_, { rows: held, ...says }, words) => {
    const shelf = new MemoryShelf([{ ...(await fileWith('x.avro', held)), ...says }])
    await expect(read(shelf)).rejects.toThrow(words)
    await expect(read(shelf)).rejects.toMatchObject({ code: 'AVRO_DAMAGED' })
  })
})

test('cuts are where files begin and end, but never inside another', async () => {
  const shelf = new MemoryShelf([
    await fileWith('b', rows.slice(40, 50)),
    await fileWith('a', rows.slice(10, 30)),
    await fileWith('late', rows.slice(15, 16)),
    await fileWith('c', rows.slice(50), false),
  ])
  const range = { afterId: rows[0]!.id, upToId: lastId }
  const expected = [9, 29, 39, 49].map((i) => rows[i]!.id)
  expect(await new AvroArchiveReader(shelf).splitPoints('t', range, signal)).toEqual(expected)
})

test('files that lie across each other in any way are read in the order of ids, each opened when its turn comes', async () => {
  const lists = fc.array(fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 30 }), { maxLength: 5 })
  const property = fc.asyncProperty(lists, fc.integer({ min: 1, max: 5 }), async (files, rowsPerChunk) => {
    const sorted = files.map((ids) => ids.sort((a, b) => a - b).map((i) => rows[i]!))
    const streams = sorted.map((held) => ({ firstId: held[0]!.id, open: () => chunksFromRows(held, rowsPerChunk) }))
    const ids = (await rowsOf(mergeById(streams))).map(({ id }) => id)
    expect(ids).toEqual(
      files
        .flat()
        .sort((a, b) => a - b)
        .map((i) => rows[i]!.id),
    )
  })
  await fc.assert(property)
})
