/** The middle value, or the mean of the two in the middle. @throws Error for no values. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('no median of nothing')
  const sorted = values.toSorted((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

/** How a rate compares with the mean of the two references measured right before and right after it. */
export function ratioToNeighbours(rate: number, before: number, after: number): number {
  return (2 * rate) / (before + after)
}

/** Rows a second. */
export function rowRate(rows: number, elapsedMs: number): number {
  return (rows / elapsedMs) * 1000
}

/** The smallest value that is not below this share (0 to 1) of all values. @throws Error for no values. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new Error('no percentile of nothing')
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!
}
