/** An answer as one long run of bytes, of which a little more than was asked for is in memory. */
export class Pieces {
  readonly #pieces: AsyncIterator<Uint8Array>
  buffer: Buffer = Buffer.alloc(0)
  /** Where in `buffer` the next byte is. */
  at = 0

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]()
  }

  get left(): number {
    return this.buffer.length - this.at
  }

  /**
   * Sees to it that `bytes` more are in the buffer; what was before `at` is dropped. False where the answer has ended:
   * then nothing is left, or, as no answer may end inside a value, it throws.
   */
  async need(bytes: number): Promise<boolean> {
    if (this.left >= bytes) return true
    const parts: Uint8Array[] = [this.buffer.subarray(this.at)]
    let length = this.left
    while (length < bytes) {
      const { done, value } = await this.#pieces.next()
      if (done) {
        if (length > 0) throw new Error('the answer of ClickHouse ends inside a row')
        return false
      }
      parts.push(value)
      length += value.length
    }
    this.buffer = Buffer.concat(parts, length)
    this.at = 0
    return true
  }

  async end(): Promise<void> {
    await this.#pieces.return?.()
  }
}
