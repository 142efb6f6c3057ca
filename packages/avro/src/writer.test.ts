import { ordinaryRows } from '@archiver/conformance'
import { chunksFromRows } from '@archiver/core'
import { describe, expect, test } from 'vitest'
import { codecs } from './codec.js'
import { archivedRow } from './convert.js'
import { readLogScores } from './reader.js'
import { fileOf, pieces, rowsOf, sync } from './test-support.js'
import { writeLogScores } from './writer.js'

const rows = ordinaryRows(1000)
const expected = rows.map(archivedRow)

describe.each(codecs)('codec %s', (codec) => {
  test.each([1, 7, 100, 101, 5000])('gives the rows back from blocks of %i', async (rowsPerBlock) => {
    const file = await fileOf(rows, { codec, rowsPerBlock })
    expect(await rowsOf(readLogScores(pieces(file)))).toEqual(expected)
  })

  test('gives equal bytes for equal rows, however they come', async () => {
    const file = await fileOf(rows, { codec, rowsPerBlock: 64, rowsPerChunk: 1000 })
    expect(await fileOf(rows, { codec, rowsPerBlock: 64, rowsPerChunk: 33 })).toEqual(file)
  })

  test('uses memory again only once it is written', async () => {
    const parts: Buffer[] = []
    const slow = async (bytes: Uint8Array) => {
      // Time in which the next blocks are encoded.
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
      parts.push(Buffer.from(bytes))
    }
    await writeLogScores(chunksFromRows(rows, 10), slow, { codec, rowsPerBlock: 20, sync })
    expect(await rowsOf(readLogScores(pieces(Buffer.concat(parts))))).toEqual(expected)
  })
})

test('a row larger than any block is a block of its own', async () => {
  const large = rows.map((row, i) => (i % 400 === 7 ? { ...row, error: 'é'.repeat(3_000_000) } : row))
  expect(await rowsOf(readLogScores(pieces(await fileOf(large))))).toEqual(large.map(archivedRow))
})

test('reports rows, bytes, the first row and the warnings left out', async () => {
  const warned = rows.with(5, { ...rows[5]!, warning: 'odd' }).with(6, { ...rows[6]!, warning: 'odd' })
  let bytes = 0
  const written = await writeLogScores(chunksFromRows(warned), async (part) => (bytes += part.length), { sync })
  const { id, tsSeconds } = rows[0]!
  expect(written).toEqual({
    rows: 1000,
    bytes,
    first: { id, tsSeconds },
    warningsDropped: 2,
    encodeMs: expect.any(Number),
  })
})

test('no rows are a header', async () => {
  const written = await writeLogScores(chunksFromRows([]), async () => {}, { sync })
  expect(written).toEqual({ rows: 0, bytes: expect.any(Number), warningsDropped: 0, encodeMs: 0 })
  expect(await rowsOf(readLogScores(pieces(await fileOf([]))))).toEqual([])
})

test.each(codecs)('a sink that fails ends the work with its error, codec %s', async (codec) => {
  let calls = 0
  const sink = async () => {
    if (++calls === 3) throw new Error('disk full')
  }
  const result = writeLogScores(chunksFromRows(rows, 10), sink, { codec, rowsPerBlock: 10, sync })
  await expect(result).rejects.toThrow('disk full')
  expect(calls).toBe(3)
})

test('nothing is under way any more when it rejects', async () => {
  let underWay = 0
  const sink = async () => {
    underWay++
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    underWay--
  }
  async function* broken() {
    yield* chunksFromRows(rows, 500)
    throw new Error('the source broke')
  }
  await expect(writeLogScores(broken(), sink, { rowsPerBlock: 100, sync })).rejects.toThrow('the source broke')
  expect(underWay).toBe(0)
})

test('refuses options that make no file', async () => {
  const write = (options: { sync: Uint8Array; rowsPerBlock?: number }) =>
    writeLogScores(chunksFromRows(rows), async () => {}, options)
  await expect(write({ sync: Buffer.alloc(15) })).rejects.toMatchObject({ code: 'AVRO_OPTIONS' })
  await expect(write({ sync, rowsPerBlock: 0 })).rejects.toMatchObject({ code: 'AVRO_OPTIONS' })
})
