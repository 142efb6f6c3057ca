import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chunksFromRows } from '../chunk/chunk.js'
import type { LogScore } from '../contract/log-score.js'
import { compareRows } from './compare-rows.js'
import { FindingLog } from './finding.js'
import { rowsOf, upTo } from './test-support.js'

async function compare(source: readonly LogScore[], archive: readonly LogScore[], sourceChunk = 100, chunk = 100) {
  const log = new FindingLog(1_000_000)
  let rows = 0
  await compareRows({
    source: chunksFromRows(source, sourceChunk),
    archive: chunksFromRows(archive, chunk),
    log,
    extraRows: {
      source: { firstId: async () => 0n, nextId: async () => 0n, existingIds: async () => [] },
      cleanedUpTo: async () => 0n,
    },
    onChunk: (some) => {
      rows += some
    },
  })
  expect(rows).toBe(source.length)
  return log
}

/** What is wrong with each id, found the slow way. */
function wrongIds(source: readonly LogScore[], archive: readonly LogScore[]): string[] {
  const held = Map.groupBy(archive, ({ id }) => id)
  const wanted = new Map(source.map((row) => [row.id, row]))
  const extra = archive.filter(({ id }) => !wanted.has(id)).map(({ id }) => `extra ${id}`)
  const others = source.flatMap((row) => {
    const copies = held.get(row.id) ?? []
    const different = copies.filter(({ score }) => score !== row.score).map(() => `different ${row.id}`)
    if (copies.length === 0) return [`missing ${row.id}`]
    return copies.length > 1 ? [`doubled ${row.id}`, ...different] : different
  })
  return [...extra, ...others].sort()
}

/** The same of what was named, run by run: all of the source's rows in a run must be of its kind. */
function foundIds({ named }: FindingLog, ids: readonly bigint[]): string[] {
  const found = named.flatMap((finding) => {
    if (finding.kind === 'different') return [`different ${finding.id}`]
    if (!('firstId' in finding)) return []
    const { kind, firstId, lastId } = finding
    return ids.filter((id) => id >= firstId && id <= lastId).map((id) => `${kind} ${id}`)
  })
  return found.sort()
}

test('finds what two lists of rows differ in, however they are cut into chunks', async () => {
  const times = fc.constantFrom(0, 1, 1, 1, 1, 1, 1, 1, 2, 3)
  const row = fc.record({ times, inSource: fc.integer({ min: 0, max: 9 }), changed: fc.integer({ min: 0, max: 9 }) })
  const sizes = fc.constantFrom(1, 2, 7, 100)
  const property = fc.asyncProperty(fc.array(row, { maxLength: 60 }), sizes, sizes, async (rows, a, b) => {
    const source = rowsOf(rows.flatMap(({ inSource }, i) => (inSource > 0 ? [i + 1] : [])))
    const archive = rows.flatMap(({ times, changed }, i) =>
      Array.from({ length: times }, (_, copy) => rowsOf([i + 1], changed + copy === 0 ? { score: 19 } : {})[0]!),
    )
    const log = await compare(source, archive, a, b)
    const ids = source.map(({ id }) => id)
    const expected = wrongIds(source, archive)
    const inSource = (text: string) => !text.startsWith('extra')
    expect(new Set(foundIds(log, ids).filter(inSource))).toEqual(new Set(expected.filter(inSource)))
    const { missing, doubled, extra, different } = log.counts
    expect(extra).toBe(expected.filter((text) => !inSource(text)).length)
    expect(missing + doubled + different + extra).toBe(expected.length)
  })
  await fc.assert(property, { numRuns: 500 })
})

test.each([1, 2, 3, 4, 5])('a row that is there twice is doubled, wherever it stands (row %i of 5)', async (twice) => {
  const archive = rowsOf([...upTo(5), twice].sort())
  expect((await compare(rowsOf(upTo(5)), archive)).counts).toMatchObject({ doubled: 1, extra: 0, missing: 0 })
})

test('a difference in the middle of much that is the same, in each column', async () => {
  const source = rowsOf(upTo(5_000))
  const changes: Partial<LogScore>[] = [
    { monitorId: 8 },
    { monitorId: null },
    { serverId: 10 },
    { tsSeconds: 1 },
    { score: 20.000001 },
    { step: -0 },
    { offset: 0 },
    { rtt: 0 },
    { leap: 1 },
    { error: 'x' },
    { warning: 'x' },
  ]
  for (const change of changes) {
    const archive = source.map((row) => (row.id === 2_345n ? { ...row, ...change } : row))
    const { named } = await compare(source, archive, 1_000, 900)
    expect(named).toMatchObject([{ kind: 'different', id: 2_345n, columns: [{}] }])
  }
})

test('0 and -0 differ', async () => {
  const { named } = await compare(rowsOf([1], { step: 0 }), rowsOf([1], { step: -0 }))
  expect(named).toEqual([{ kind: 'different', id: 1n, columns: [{ column: 'step', source: 0, archive: -0 }] }])
})

test('a run of rows is one finding, and long runs are remembered as ranges', async () => {
  const source = rowsOf([1, 2, 5, 6, 9, 10, 11])
  const log = await compare(source, rowsOf([1, 3, 4, 9, 9, 10, 10, 11]), 2, 3)
  expect(log.named).toEqual([
    { kind: 'missing', firstId: 2n, lastId: 6n, rows: 3 },
    { kind: 'doubled', firstId: 9n, lastId: 10n, rows: 2 },
    { kind: 'extra', firstId: 3n, lastId: 4n, rows: 2 },
  ])
  expect(log.missing).toEqual([{ afterId: 1n, upToId: 6n }])
})
