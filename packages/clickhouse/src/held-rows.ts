/** A row of the answer to {@link heldRowsQuery}. */
const rowBytes = 8 + 4 + 4

export const heldColumns = 'id, server_id, toUInt32(ts)'

/** Rows that an archive holds, one after the other, out of an answer in RowBinary of {@link heldColumns}. */
export class HeldRows {
  /** Undefined after the last row. */
  id: bigint | undefined
  serverId = 0
  tsSeconds = 0
  readonly #pieces: AsyncIterator<Uint8Array>
  #buffer: Buffer = Buffer.alloc(0)
  #at = 0

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]()
  }

  async advance(): Promise<void> {
    if (this.#at + rowBytes > this.#buffer.length && !(await this.#fill())) {
      this.id = undefined
      return
    }
    this.id = this.#buffer.readBigUInt64LE(this.#at)
    this.serverId = this.#buffer.readUInt32LE(this.#at + 8)
    this.tsSeconds = this.#buffer.readUInt32LE(this.#at + 12)
    this.#at += rowBytes
  }

  async end(): Promise<void> {
    await this.#pieces.return?.()
  }

  async #fill(): Promise<boolean> {
    let rest = this.#buffer.subarray(this.#at)
    while (rest.length < rowBytes) {
      const { done, value } = await this.#pieces.next()
      if (done) {
        if (rest.length > 0) throw new Error('the answer of ClickHouse ends inside a row')
        return false
      }
      rest =
        rest.length === 0 ? Buffer.from(value.buffer, value.byteOffset, value.length) : Buffer.concat([rest, value])
    }
    this.#buffer = rest
    this.#at = 0
    return true
  }
}
