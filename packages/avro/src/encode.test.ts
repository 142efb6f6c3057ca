import { edgeRows, largeIdRows, ordinaryRows } from '@archiver/conformance'
import { chunkFromRows, type LogScore, RowError } from '@archiver/core'
import { expect, test } from 'vitest'
import { archivedRow, exactRow } from './convert.js'
import { encodeRows, maxRowBytes } from './encode.js'
import { rowFormats } from './row-format.js'
import { exactLogScoreSchema } from './schema.js'
import { encodeTails } from './tails.js'
import { avscRecord, avscType, exactAvscRecord, fileOf } from './test-support.js'
import { bytesOf } from './varint.js'

const texts = [null, '', '{}', '{"leap":0}', ' {"leap" : 0}', '{"leap":1,"x":"\u00e4 🕰️"}']

function encode(rows: readonly LogScore[], length = 2 ** 20) {
  const chunk = chunkFromRows(rows)
  const target = { ...bytesOf(Buffer.alloc(length)), position: 0 }
  const encoded = encodeRows(chunk, encodeTails(chunk.dictionary), 0, chunk.rows, target)
  return { encoded, bytes: Buffer.from(target.bytes.subarray(0, target.position)) }
}

function accepted(rows: readonly LogScore[]): LogScore[] {
  return rows.filter((row) => {
    try {
      return archivedRow(row)
    } catch {
      return false
    }
  })
}

test.each([
  ['ordinary rows', ordinaryRows(500)],
  ['rows at the edges', accepted(edgeRows())],
  ['large ids', accepted(largeIdRows())],
  [
    'every length of an id',
    Array.from({ length: 63 }, (_, bit) => ({ ...ordinaryRows(1)[0]!, id: 2n ** BigInt(bit) })),
  ],
])('%s are the bytes that avsc encodes', (_, rows) => {
  const type = avscType()
  const expected = Buffer.concat(rows.map((row) => type.toBuffer(avscRecord(row))))
  expect(encode(rows, expected.length + 80_000)).toEqual({ encoded: rows.length, bytes: expected })
})

test.each([
  ['ordinary rows', ordinaryRows(500)],
  ['rows at the edges', edgeRows()],
  ['large ids', largeIdRows().filter(({ id }) => id < 2n ** 63n)],
  ['attributes as they were', texts.map((json, i) => ({ ...ordinaryRows(i + 1)[i]!, json }))],
])('version 2: %s are the bytes that avsc encodes, whatever they are', (_, rows) => {
  const type = avscType(exactLogScoreSchema)
  const expected = Buffer.concat(rows.map((row) => type.toBuffer(exactAvscRecord(row))))
  const chunk = chunkFromRows(rows)
  const target = { ...bytesOf(Buffer.alloc(expected.length + 160_000)), position: 0 }
  const { encodeRows: encode2, encodeTail } = rowFormats[2]
  expect(encode2(chunk, encodeTails(chunk.dictionary, encodeTail), 0, chunk.rows, target)).toBe(rows.length)
  expect(Buffer.from(target.bytes.subarray(0, target.position))).toEqual(expected)
})

test.each([
  ['id', { id: 2n ** 63n }],
  ['score', { score: Number.NaN }],
  ['step', { step: Number.NEGATIVE_INFINITY }],
  ['offset', { offset: Number.POSITIVE_INFINITY }],
])('version 2 refuses %s by name', async (column, change) => {
  const row = { ...ordinaryRows(1)[0]!, ...change }
  await expect(fileOf([row], { schema: 2 })).rejects.toMatchObject({ id: row.id, column })
  expect(() => exactRow(row)).toThrow(expect.objectContaining({ id: row.id, column }))
})

test('stops before a row for which there may be no room, and never writes beyond the target', () => {
  const rows = ordinaryRows(100)
  const whole = encode(rows).bytes
  const tail = encodeTails(chunkFromRows(rows).dictionary).longest
  const { encoded, bytes } = encode(rows, 1000)
  expect(encoded).toBeLessThan(100)
  expect(bytes.length).toBeGreaterThan(1000 - 2 * (maxRowBytes + tail))
  expect(whole.subarray(0, bytes.length)).toEqual(bytes)
})

test.each([
  ['id', { id: 2n ** 63n }],
  ['server_id', { serverId: 2 ** 31 }],
  ['monitor_id', { monitorId: 2 ** 31 }],
  ['score', { score: 1e300 }],
  ['score', { score: Number.NaN }],
  ['step', { step: -3.5e38 }],
  ['offset', { offset: Number.POSITIVE_INFINITY }],
])('refuses %s by name', (column, change) => {
  const row = { ...ordinaryRows(1)[0]!, ...change }
  const expected = { id: row.id, column }
  expect(() => encode([row])).toThrow(expect.objectContaining(expected))
  expect(() => archivedRow(row)).toThrow(RowError)
  expect(() => archivedRow(row)).toThrow(expect.objectContaining(expected))
})
