import { chunkColumns, type LogScoreChunk } from '@archiver/core'

/** The columns of a chunk that are arrays, but for the index of the attributes. */
export const plainColumns = chunkColumns.filter((name) => name !== 'attributes')

/** Copies rows of one chunk into another's memory. */
export function copyRows(
  from: LogScoreChunk,
  first: number,
  end: number,
  to: Pick<LogScoreChunk, (typeof plainColumns)[number]>,
  at: number,
): void {
  for (const name of plainColumns) {
    // Columns of one name are arrays of one kind, which the type of their union does not say.
    const target = to[name] as Float64Array
    target.set((from[name] as Float64Array).subarray(first, end), at)
  }
}

/** The first row from `first` on whose id is not above the one before it, at first `previous`; `end` where there is none. */
export function firstNotAbove(id: BigUint64Array, first: number, end: number, previous: bigint): number {
  const halves = new Uint32Array(id.buffer, id.byteOffset, id.length * 2)
  let low = Number(previous & 0xffff_ffffn)
  let high = Number(previous >> 32n)
  for (let i = first; i < end; i++) {
    const [nextLow, nextHigh] = [halves[2 * i]!, halves[2 * i + 1]!]
    if (nextHigh < high || (nextHigh === high && nextLow <= low)) return i
    low = nextLow
    high = nextHigh
  }
  return end
}
