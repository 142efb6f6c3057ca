/** The lower of two ids. (Math.min takes no bigint.) */
export function lowerId(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

/** The higher of two ids. */
export function higherId(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
