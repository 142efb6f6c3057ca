import type { RangeDigest } from '../contract/archive-reader.js'
import type { LogScoreChunk } from '../contract/log-score.js'

/** A Mersenne prime: a remainder by it needs no division. */
const PRIME = 2 ** 31 - 1
const SPREAD = 2_654_435_761
/** Sums of so many halves of ids stay below 2^53. */
const ROWS_A_SUM = 2 ** 20

/**
 * The digest of rows that are at hand as chunks, without a BigInt for a row: 64-bit numbers are kept as two halves. The
 * same numbers as the SQL of those who compute it where the rows are.
 */
export class Digest {
  private rows = 0n
  private idSum = 0n
  private xorLow = 0
  private xorHigh = 0

  add(chunk: LogScoreChunk): this {
    const ids = new Uint32Array(chunk.id.buffer, chunk.id.byteOffset, chunk.rows * 2)
    for (let from = 0; from < chunk.rows; from += ROWS_A_SUM) {
      this.addRows(chunk, ids, from, Math.min(chunk.rows, from + ROWS_A_SUM))
    }
    this.rows += BigInt(chunk.rows)
    return this
  }

  get value(): RangeDigest {
    const hashXor = (BigInt(this.xorHigh >>> 0) << 32n) | BigInt(this.xorLow >>> 0)
    return { rows: this.rows, idSum: this.idSum, hashXor }
  }

  /** Node runs on little-endian machines only: the low half of an id comes first. */
  private addRows({ serverId, tsSeconds }: LogScoreChunk, ids: Uint32Array, from: number, to: number): void {
    let { xorLow, xorHigh } = this
    let sumLow = 0
    let sumHigh = 0
    for (let i = from; i < to; i++) {
      const low = ids[2 * i]!
      const high = ids[2 * i + 1]!
      sumLow += low
      sumHigh += high
      // 2^32 is 2 modulo the prime. The sum stays below 2^53.
      const hash = remainder(high * 2 + low + serverId[i]! * 1_000_003 + tsSeconds[i]! * 8191)
      const productLow = Math.imul(hash, SPREAD) >>> 0
      xorLow ^= productLow
      // The product is rounded to 53 bits, which leaves its upper half within a part in a million of the truth.
      xorHigh ^= Math.round((hash * SPREAD - productLow) / 2 ** 32)
    }
    this.xorLow = xorLow
    this.xorHigh = xorHigh
    this.idSum = BigInt.asUintN(64, this.idSum + BigInt(sumLow) + (BigInt(sumHigh) << 32n))
  }
}

function remainder(value: number): number {
  const high = Math.floor(value / 2 ** 31)
  const sum = high + (value - high * 2 ** 31)
  return sum >= PRIME ? sum - PRIME : sum
}

/** The digest of all rows of a stream. */
export async function digestOf(chunks: AsyncIterable<LogScoreChunk>): Promise<RangeDigest> {
  const digest = new Digest()
  for await (const chunk of chunks) digest.add(chunk)
  return digest.value
}

export function equalDigests(a: RangeDigest, b: RangeDigest): boolean {
  return a.rows === b.rows && a.idSum === b.idSum && a.hashXor === b.hashXor
}
