/** Takes exact numbers of bytes from a stream that comes in pieces of any size. Memory: a piece and the largest take. */
export class ByteReader {
  readonly #pieces: AsyncIterator<Uint8Array>
  #piece: Uint8Array = new Uint8Array()
  /** For takes that lie in more than one piece. */
  #joined = Buffer.alloc(0)
  /** Where in the stream the next byte is. */
  position = 0

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#pieces = source[Symbol.asyncIterator]()
  }

  /** The next `length` bytes, or fewer where the stream ends before. Valid until the next call. */
  async take(length: number): Promise<Buffer> {
    if (this.#piece.length === 0) await this.#more()
    if (this.#piece.length >= length) return this.#cut(length)
    if (this.#joined.length < length) this.#joined = Buffer.allocUnsafeSlow(length)
    let got = 0
    do {
      const part = this.#cut(length - got)
      this.#joined.set(part, got)
      got += part.length
    } while (got < length && (await this.#more()))
    return this.#joined.subarray(0, got)
  }

  /** Ends the source early. */
  async close(): Promise<void> {
    await this.#pieces.return?.()
  }

  #cut(length: number): Buffer {
    const part = this.#piece.subarray(0, length)
    this.#piece = this.#piece.subarray(part.length)
    this.position += part.length
    return Buffer.from(part.buffer, part.byteOffset, part.length)
  }

  async #more(): Promise<boolean> {
    do {
      const next = await this.#pieces.next()
      if (next.done) return false
      this.#piece = next.value
    } while (this.#piece.length === 0)
    return true
  }
}
