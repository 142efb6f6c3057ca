/** Takes exact numbers of bytes from a stream that comes in pieces of any size. Holds what was asked for, not more. */
export class ByteReader {
  readonly #pieces: AsyncIterator<Uint8Array>
  #piece: Uint8Array = new Uint8Array()
  /** Where in the stream the next byte is. */
  position = 0

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#pieces = source[Symbol.asyncIterator]()
  }

  /** The next `length` bytes, or fewer where the stream ends before. They are the caller's to keep. */
  async take(length: number): Promise<Buffer> {
    if (this.#piece.length === 0) await this.#more()
    const parts = [this.#cut(length)]
    let got = parts[0]!.length
    while (got < length && (await this.#more())) {
      const part = this.#cut(length - got)
      parts.push(part)
      got += part.length
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
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
