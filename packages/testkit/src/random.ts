/** A fast generator of pseudo-random numbers (xorshift128): the same seed gives the same numbers everywhere. */
export function seededRandom(seed: number): () => number {
  let [a, b, c, d] = [seed | 0, 0x9e3779b9, 0x243f6a88, 0xb7e15162]
  const next = () => {
    let t = d
    d = c
    c = b
    b = a
    t ^= t << 11
    t ^= t >>> 8
    a = t ^ b ^ (b >>> 19)
    return (a >>> 0) / 0x1_0000_0000
  }
  for (let i = 0; i < 20; i++) next()
  return next
}
