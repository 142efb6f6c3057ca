import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { LogScore } from '../contract/log-score.js'
import { allocateChunk, chunkFromRows, chunksFromRows } from './chunk.js'
import { viewRows } from './chunk-views.js'
import { Digest, digestOf } from './digest.js'

const row = fc
  .record({
    id: fc.oneof(
      fc.bigInt(0n, 2n ** 64n - 1n),
      fc.bigInt(2n ** 62n - 9n, 2n ** 62n),
      fc.bigInt(1n, 2n ** 33n),
      fc.constantFrom(2n ** 31n - 1n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 64n - 1n),
    ),
    serverId: fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(0, 2 ** 32 - 1)),
    tsSeconds: fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(0, 2 ** 32 - 1)),
  })
  .map((key): LogScore => {
    const rest = { monitorId: 1, score: 1, step: 1, offset: null, rtt: null, leap: null, error: null, warning: null }
    return { ...key, ...rest }
  })

/** As archive-reader.ts words it. */
function formula(rows: readonly LogScore[]) {
  const hashes = rows.map(
    ({ id, serverId, tsSeconds }) =>
      ((id + BigInt(serverId) * 1_000_003n + BigInt(tsSeconds) * 8191n) % 2_147_483_647n) * 2_654_435_761n,
  )
  return {
    rows: BigInt(rows.length),
    idSum: BigInt.asUintN(
      64,
      rows.reduce((sum, { id }) => sum + id, 0n),
    ),
    hashXor: hashes.reduce((xor, hash) => xor ^ hash, 0n),
  }
}

test('the halves of numbers give what the formula gives', () => {
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 40 }), (rows) => {
      expect(new Digest().add(chunkFromRows(rows)).value).toEqual(formula(rows))
    }),
  )
})

test('many chunks add up, and a large one is summed in parts', () => {
  const rows = 2 ** 20 + 5
  const chunk = { ...allocateChunk(rows), rows, dictionary: [] }
  for (let i = 0; i < rows; i++) {
    chunk.id[i] = 2n ** 64n - 2n ** 21n + BigInt(i)
    chunk.serverId[i] = 2 ** 32 - 1 - i
    chunk.tsSeconds[i] = i * 4000
  }
  const parts = new Digest()
  for (let at = 0; at < rows; at += 9_999) parts.add(viewRows(chunk, at, Math.min(rows, at + 9_999)))
  const whole = new Digest().add(chunk).value
  expect(whole).toEqual(parts.value)
  expect(whole.idSum).toBe(BigInt.asUintN(64, BigInt(rows) * (2n ** 64n - 2n ** 21n) + BigInt((rows * (rows - 1)) / 2)))
})

test('no row is no sum', async () => {
  expect(await digestOf(chunksFromRows([]))).toEqual({ rows: 0n, idSum: 0n, hashXor: 0n })
})
