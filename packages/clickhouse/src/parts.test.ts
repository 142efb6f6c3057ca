import { chunksFromRows } from '@archiver/core'
import { expect, it } from 'vitest'
import { inParts, type PartLimits } from './parts.js'
import { plainRows } from './testing/rows.js'

async function partsOf(rows: ReturnType<typeof plainRows>, rowsPerChunk: number, limits: PartLimits) {
  const parts: [part: number, from: number, to: number][] = []
  for await (const { part, from, to } of inParts(chunksFromRows(rows, rowsPerChunk), limits))
    parts.push([part, from, to])
  return parts
}

it('keeps a batch in one insert where it can', async () => {
  expect(await partsOf(plainRows(25), 10, { maxDays: 90, maxRows: 25 })).toEqual([
    [1, 0, 10],
    [1, 0, 10],
    [1, 0, 5],
  ])
})

it('begins another insert before the day or the row that is too much', async () => {
  expect(await partsOf(plainRows(7, 1n, 1), 4, { maxDays: 3, maxRows: 100 })).toEqual([
    [1, 0, 3],
    [2, 3, 4],
    [2, 0, 2],
    [3, 2, 3],
  ])
  expect(await partsOf(plainRows(7), 4, { maxDays: 3, maxRows: 4 })).toEqual([
    [1, 0, 4],
    [2, 0, 3],
  ])
})

it('counts a day once, however often it comes back', async () => {
  const rows = plainRows(6).map((row, i) => ({ ...row, tsSeconds: (i % 2) * 86_400 }))
  expect(await partsOf(rows, 6, { maxDays: 2, maxRows: 100 })).toEqual([[1, 0, 6]])
})
