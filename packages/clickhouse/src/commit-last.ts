import type { Lease } from '@archiver/core'

/** A block on its way, cut where it is not whole yet: no server can make rows of `body` alone. */
export interface CutBlock {
  readonly body: Uint8Array
  /** Few bytes: those that complete the block. */
  readonly end: Uint8Array
}

/** Each piece, cut before its last byte. */
export async function* cutBlocks(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<CutBlock> {
  for await (const piece of pieces) yield { body: piece.subarray(0, -1), end: piece.slice(-1) }
}

/**
 * The bytes of the blocks. The end of each is held back until the next block is there. Then it waits until the operating
 * system has taken all bytes before it, asks the lease, and hands the end over: nothing that completes a block lies in the
 * memory of this process, where a process that was frozen would send it after another one has taken over.
 *
 * So a body that ends early also ends inside a block, which no server takes for a whole insert: 18.16 ends a chunked body
 * without an error where its client died.
 *
 * @param untilTaken - resolves when the operating system has taken all bytes that were handed over.
 */
export async function* commitLast(
  blocks: AsyncIterable<CutBlock>,
  lease: Lease,
  untilTaken: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  let end: Uint8Array | undefined
  for await (const block of blocks) {
    if (end !== undefined) yield* release(end, lease, untilTaken)
    lease.assertHeld()
    yield block.body
    end = block.end
  }
  if (end !== undefined) yield* release(end, lease, untilTaken)
}

async function* release(end: Uint8Array, lease: Lease, untilTaken: () => Promise<void>): AsyncGenerator<Uint8Array> {
  await untilTaken()
  lease.assertHeld()
  yield end
  // Node sends what was written in a turn of the event loop at the end of that turn: nothing else may happen in it.
  await untilTaken()
}
