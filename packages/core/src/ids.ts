/** The lower of two ids. (Math.min takes no bigint.) */
export function lowerId(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
