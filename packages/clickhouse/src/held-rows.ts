import type { HeldCursor } from '@archiver/core'
import { Pieces } from './pieces.js'

/** A row of the answer to {@link heldRowsQuery}. */
const rowBytes = 8 + 4 + 4

export const heldColumns = 'id, server_id, toUInt32(ts)'

/** Rows that an archive holds, one after the other, out of an answer in RowBinary of {@link heldColumns}. */
export class HeldRows implements HeldCursor {
  /** Undefined after the last row. */
  id: bigint | undefined
  serverId = 0
  tsSeconds = 0
  readonly #pieces: Pieces

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = new Pieces(pieces)
  }

  advance(): Promise<void> | undefined {
    if (this.#pieces.left < rowBytes) return this.#advanceToNextPiece()
    this.#take()
    return undefined
  }

  async #advanceToNextPiece(): Promise<void> {
    if (await this.#pieces.need(rowBytes)) this.#take()
    else this.id = undefined
  }

  #take(): void {
    const { buffer, at } = this.#pieces
    this.id = buffer.readBigUInt64LE(at)
    this.serverId = buffer.readUInt32LE(at + 8)
    this.tsSeconds = buffer.readUInt32LE(at + 12)
    this.#pieces.at += rowBytes
  }

  async end(): Promise<void> {
    await this.#pieces.end()
  }
}
