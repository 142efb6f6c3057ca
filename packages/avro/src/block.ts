import { type Codec, compress } from './codec.js'
import type { Target } from './encode.js'
import { syncBytes } from './header.js'
import { bytesOf, longBytes } from './varint.js'

/** Room before the data for the two numbers a block begins with: its rows, its bytes. */
const headroom = 20
/** A block of 50,000 ordinary rows has 1.7 MB. It ends early, however few its rows, when it would become larger than this. */
const blockBytes = 4 * 2 ** 20

/** A block being filled, in memory that is used again once the block is written. */
export class Block {
  target!: Target
  rows = 0
  #memory!: Uint8Array
  #joined = Buffer.alloc(0)

  constructor() {
    this.#allocate(blockBytes)
  }

  clear(): void {
    this.target.position = headroom
    this.rows = 0
  }

  /** Makes room for one row of this many bytes; only for an empty block. */
  growFor(rowBytes: number): void {
    this.#allocate(headroom + rowBytes + syncBytes)
  }

  /** The block as it is written: rows, bytes, data, sync marker. */
  async finish(codec: Codec, sync: Uint8Array): Promise<Uint8Array> {
    const { bytes, position } = this.target
    if (codec === 'null') return this.#finishInPlace(sync)
    const parts = await compress(codec, bytes.subarray(headroom, position))
    const size = parts.reduce((total, { length }) => total + length, 0)
    return this.#join([longBytes(this.rows), longBytes(size), ...parts, sync])
  }

  /** The parts one after the other, in memory that is kept for the next time. */
  #join(parts: readonly Uint8Array[]): Uint8Array {
    const length = parts.reduce((total, part) => total + part.length, 0)
    if (this.#joined.length < length) this.#joined = Buffer.allocUnsafeSlow(2 * length)
    let at = 0
    for (const part of parts) {
      this.#joined.set(part, at)
      at += part.length
    }
    return this.#joined.subarray(0, length)
  }

  #finishInPlace(sync: Uint8Array): Uint8Array {
    const end = this.target.position
    const count = longBytes(this.rows)
    const size = longBytes(end - headroom)
    const start = headroom - count.length - size.length
    this.#memory.set(count, start)
    this.#memory.set(size, headroom - size.length)
    this.#memory.set(sync, end)
    return this.#memory.subarray(start, end + syncBytes)
  }

  /** The system gives memory as it is touched, so a block that stays small costs little. */
  #allocate(length: number): void {
    this.#memory = Buffer.allocUnsafeSlow(length)
    this.target = { ...bytesOf(this.#memory.subarray(0, length - syncBytes)), position: headroom }
  }
}
