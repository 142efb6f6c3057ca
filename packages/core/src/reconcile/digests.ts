import type { IdRange, RangeDigest, RowRange } from '../contract/archive-reader.js'

/** The digest of two ranges that have no row in common. */
export function sumOf(a: RangeDigest, b: RangeDigest): RangeDigest {
  return {
    rows: a.rows + b.rows,
    idSum: BigInt.asUintN(64, a.idSum + b.idSum),
    hashXor: a.hashXor ^ b.hashXor,
  }
}

/** The digest of the rest of a range, given that of a part. */
export function restOf(whole: RangeDigest, part: RangeDigest): RangeDigest {
  return {
    rows: whole.rows - part.rows,
    idSum: BigInt.asUintN(64, whole.idSum - part.idSum),
    hashXor: whole.hashXor ^ part.hashXor,
  }
}

export const noRows: RangeDigest = { rows: 0n, idSum: 0n, hashXor: 0n }

/** Both halves of a range of at least two ids, with the times of the whole. */
export function halvesOf(range: RowRange): readonly [RowRange, RowRange] {
  const middle = (range.afterId + range.upToId) / 2n
  return [
    { ...range, upToId: middle },
    { ...range, afterId: middle },
  ]
}

/** The range between one cut and the next, in order. Cuts are ids of the range, ascending. */
export function piecesOf({ afterId, upToId }: IdRange, cuts: readonly bigint[]): IdRange[] {
  const ends = [...cuts.filter((id) => id > afterId && id < upToId), upToId]
  return ends.map((end, i) => ({ afterId: ends[i - 1] ?? afterId, upToId: end }))
}
