import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chunksFromRows } from '../chunk/chunk.js'
import { type JoinVisitor, joinRows, skipEqualRows } from './join-rows.js'
import { RowCursor } from './row-cursor.js'
import { rowsOf } from './test-support.js'

/** Every step of a join, as text: `1x2` for a row of the source with two copies, `+3` for a row that only the archive has. */
async function joined(source: number[], archive: number[], rowsPerChunk: number, fast: boolean, toTheEnd = true) {
  await using a = await RowCursor.open(chunksFromRows(rowsOf(source), rowsPerChunk))
  await using b = await RowCursor.open(chunksFromRows(rowsOf(archive), rowsPerChunk + 1))
  const steps: string[] = []
  let seen = 0
  const visit: JoinVisitor = {
    both: (id) => expect([a.id, b.id]).toEqual([id, id]),
    onlyArchive: (id) => void steps.push(`+${id}`),
    ...(toTheEnd ? { source: (id: bigint, copies: number) => void steps.push(`${id}x${copies}`) } : {}),
    ...(fast
      ? {
          skipEqual: () => {
            const rows = skipEqualRows(a, b, () => a)
            for (let i = 0; i < (rows ?? 0); i++) steps.push(`${a.chunk.id[a.row - rows! + i]}x1`)
            seen += rows ?? 0
            return rows !== undefined
          },
        }
      : {}),
  }
  await joinRows(a, b, visit)
  return { steps, seen, sourceRows: a.rowsBefore }
}

function expectedSteps(source: number[], archive: number[]): string[] {
  return [...new Set([...source, ...archive])]
    .sort((x, y) => x - y)
    .flatMap((id) => {
      const copies = archive.filter((other) => other === id).length
      return source.includes(id) ? [`${id}x${copies}`] : Array<string>(copies).fill(`+${id}`)
    })
}

test.each([true, false])('every row comes once, in order, with its copies (runs at once: %s)', async (fast) => {
  const ids = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 }).map((some) => some.sort((x, y) => x - y))
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 1, max: 40 })), ids, fc.nat(6), async (some, archive, size) => {
      const source = some.sort((x, y) => x - y)
      const { steps, sourceRows } = await joined(source, archive, size + 1, fast)
      expect(steps).toEqual(expectedSteps(source, archive))
      expect(sourceRows).toBe(source.length)
    }),
  )
})

test('equal runs are passed as a whole', async () => {
  const ids = Array.from({ length: 1_000 }, (_, i) => i + 1)
  expect((await joined(ids, ids, 100, true)).seen).toBeGreaterThan(900)
})

test('where nobody asks for rows of the source, it is not read beyond the last row of the archive', async () => {
  const ids = Array.from({ length: 1_000 }, (_, i) => i + 1)
  expect(await joined(ids, [3, 5], 10, false, false)).toMatchObject({ steps: [], sourceRows: 0 })
})
