import { copyWords, type Target, wordsOf } from './target.js'

/** Writes the text of a key. @returns where it ends; at most {@link slotBytes} further. */
export type Render = (bytes: Buffer, at: number, key: number) => number

const slotBytes = 64

/**
 * Texts of values that come again and again: seconds of a burst of rows, scores that stand at their highest. Each key has one
 * slot that it may be in, so that a look costs as much as a comparison.
 */
export class TextCache {
  readonly #render: Render
  readonly #shift: number
  readonly #keys: Float64Array
  readonly #lengths: Uint8Array
  readonly #bytes: Buffer
  readonly #words: Uint32Array

  /** @param slotBits - 2^slotBits texts are kept. */
  constructor(slotBits: number, render: Render) {
    const slots = 2 ** slotBits
    this.#render = render
    this.#shift = 32 - slotBits
    this.#keys = new Float64Array(slots).fill(Number.NaN)
    this.#lengths = new Uint8Array(slots)
    this.#bytes = Buffer.alloc(slots * slotBytes)
    this.#words = wordsOf(this.#bytes)
  }

  /** @param key - a whole number from 0 to 2^32-1. @returns where the text ends. */
  write({ view }: Target, at: number, key: number): number {
    const slot = Math.imul(key, 0x9e3779b1) >>> this.#shift
    if (this.#keys[slot] !== key) this.#fill(slot, key)
    const length = this.#lengths[slot]!
    copyWords(view, at, this.#words, slot * (slotBytes / 4), length)
    return at + length
  }

  #fill(slot: number, key: number): void {
    const start = slot * slotBytes
    this.#lengths[slot] = this.#render(this.#bytes, start, key) - start
    this.#keys[slot] = key
  }
}
