import type { Permit } from '@archiver/core'

/**
 * The pieces with the last byte of each kept back until the next one is there, and the very last until the permit has
 * been asked once more. So a body that ends early always ends inside a block, which no server takes for a whole insert:
 * 18.16 ends a chunked body quietly where its client died.
 */
export async function* commitLast(pieces: AsyncIterable<Uint8Array>, permit: Permit): AsyncGenerator<Uint8Array> {
  let last: Uint8Array | undefined
  for await (const piece of pieces) {
    permit.check()
    if (last) yield last
    yield piece.subarray(0, -1)
    last = piece.slice(-1)
  }
  permit.check()
  if (last) yield last
}
