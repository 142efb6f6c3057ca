import { edgeRows, largeIdRows, ordinaryRows } from '@archiver/conformance'
import { chunkFromRows, type LogScore, RowError } from '@archiver/core'
import { expect, test } from 'vitest'
import { archivedRow } from './convert.js'
import { encodeRows, maxRowBytes } from './encode.js'
import { encodeTails } from './tails.js'
import { avscRecord, avscType } from './test-support.js'
import { bytesOf } from './varint.js'

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
