import {
  type ArchiveReader,
  chunksFromRows,
  digestOf,
  type IdRange,
  type LogScore,
  matchingRows,
  type ScanQuery,
} from '@archiver/core'
import { describe, expect, it } from 'vitest'
import { describeReader, readerChecks, runReadCheck } from './describe-reader.js'
import { MemoryArchiver } from './memory-archiver.js'
import type { ReaderSubject } from './reader-subject.js'

/** Rows in memory that can be read back, and there more than once. */
class ReadableArchiver extends MemoryArchiver {
  override readonly reader: ArchiveReader

  constructor(held: LogScore[], read: Read, change: Change) {
    super(new Map())
    const within = (range: IdRange) => chunksFromRows(read(held, range), 50)
    this.reader = {
      layout: 'table',
      digest: (_, range) => digestOf(within(range)),
      read: (_, range) => within(range),
      scan: (_, query) => matchingRows(within(query), change(query)),
    }
  }
}

/** What is made of a query. */
type Change = (query: ScanQuery) => ScanQuery
type Read = (held: readonly LogScore[], range: IdRange) => LogScore[]

function subject(read: Read, change: Change = (query) => query): ReaderSubject {
  const tables = new Map<string, LogScore[]>()
  const rowsOf = (table: string) => tables.get(table) ?? tables.set(table, []).get(table)!
  return {
    async open(table) {
      const held = rowsOf(table)
      const archiver = new ReadableArchiver(held, read, change)
      const store = archiver.store.bind(archiver)
      archiver.store = async (...args) => {
        archiver.rows.clear()
        const result = await store(...args)
        held.push(...archiver.rows.values())
        return result
      }
      return archiver
    },
    read: async (table) => rowsOf(table),
    async tamper(table, edit) {
      const rows = rowsOf(table)
      rows.splice(0, rows.length, ...rows.flatMap(edit))
    },
  }
}

const ordered: Read = (held, { afterId, upToId }) =>
  held.filter(({ id }) => id > afterId && id <= upToId).sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))

describeReader('rows in memory', subject(ordered))

describe('the suite finds a reader', () => {
  const once = (rows: LogScore[]) => [...new Map(rows.map((row) => [row.id, row])).values()]
  const broken: [string, Read, RegExp][] = [
    ['that gives more than the range', (held) => ordered(held, { afterId: 0n, upToId: 2n ** 64n }), /any range/],
    ['that leaves out the last row', (held, range) => ordered(held, range).slice(0, -1), /any range/],
    [
      'that gives rows in the order in which they came',
      (held, { afterId, upToId }) => held.filter(({ id }) => id > afterId && id <= upToId),
      /another order/,
    ],
    ['that gives a doubled row once', (held, range) => once(ordered(held, range)), /^finds a row that is there twice/],
    [
      'that rounds',
      (held, range) => ordered(held, range).map((row) => ({ ...row, score: Math.fround(row.score) })),
      /edges/,
    ],
  ]
  it.each(broken)('%s', async (_, read, name) => {
    const check = readerChecks.find((candidate) => name.test(candidate.name))!
    await expect(runReadCheck(check, subject(read))).rejects.toThrow()
  })

  const without: [string, Change, RegExp][] = [
    ['server', (query) => ({ ...query, serverId: undefined }), /rows of a server/],
    ['monitor', (query) => ({ ...query, monitorId: undefined }), /rows of a server/],
    ['first second', (query) => ({ ...query, fromSeconds: query.fromSeconds && query.fromSeconds + 1 }), /of a server/],
    ['last second', (query) => ({ ...query, toSeconds: query.toSeconds && query.toSeconds - 1 }), /rows of a server/],
    ['limit', (query) => ({ ...query, limit: undefined }), /with a limit/],
  ]
  it.each(without)('that does not keep to the %s', async (_, change, name) => {
    const check = readerChecks.find((candidate) => name.test(candidate.name))!
    await expect(runReadCheck(check, subject(ordered, change))).rejects.toThrow()
  })
})
