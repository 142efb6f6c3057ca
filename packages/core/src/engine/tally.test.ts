import { expect, test } from 'vitest'
import { chunkFromRows } from '../chunk/chunk.js'
import { rowsOf } from '../reconcile/test-support.js'
import { Tally } from './tally.js'

test.each([
  ['one name', 'a.avro', 'a.avro'],
  ['names that just fit', `${'x'.repeat(510)}, ${'y'.repeat(512)}`, `${'x'.repeat(510)}, ${'y'.repeat(512)}`],
  ['more names than fit', Array(200).fill('0123456.avro').join(', '), Array(73).fill('0123456.avro').join(', ')],
])('the ledger has room for %s', (_, identity, kept) => {
  const tally = new Tally({ id: 1n, archiver: 'a', table: 't', afterId: 0n, firstId: 1n, upToId: 9n })
  tally.add(chunkFromRows(rowsOf([1, 2])))
  expect(tally.record({ rows: 2, bytes: 1, identity })).toMatchObject({ rows: 2, identity: kept })
})
