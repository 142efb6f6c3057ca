import { Pieces } from './pieces.js'

/** A row of the answer to {@link heldRowsQuery}. */
const rowBytes = 8 + 4 + 4

export const heldColumns = 'id, server_id, toUInt32(ts)'

/** Rows that an archive holds, one after the other, out of an answer in RowBinary of {@link heldColumns}. */
export class HeldRows {
  /** Undefined after the last row. */
  id: bigint | undefined
  serverId = 0
  tsSeconds = 0
  readonly #pieces: Pieces

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = new Pieces(pieces)
  }

  async advance(): Promise<void> {
    const pieces = this.#pieces
    if (pieces.left < rowBytes && !(await pieces.need(rowBytes))) {
      this.id = undefined
      return
    }
    const { buffer, at } = pieces
    this.id = buffer.readBigUInt64LE(at)
    this.serverId = buffer.readUInt32LE(at + 8)
    this.tsSeconds = buffer.readUInt32LE(at + 12)
    pieces.at += rowBytes
  }

  async end(): Promise<void> {
    await this.#pieces.end()
  }
}
