import type { Attributes } from '@archiver/core'
import { type Cursor, readInt, readNull, readNullableText, skipNullableText } from './cursor.js'

/** How the last fields of a row, from leap on, are read. */
export interface TailFormat {
  /** Moves behind them. */
  readonly skip: (cursor: Cursor) => void
  readonly decode: (cursor: Cursor) => Attributes
  /** A tail of so many bytes, or fewer, says only nulls. */
  readonly emptyBytes: number
  readonly empty: Attributes
}

/** Version 1: leap and error. */
export const tailFormat: TailFormat = {
  skip(cursor) {
    if (readNull(cursor) === 0) readInt(cursor)
    skipNullableText(cursor, 'error')
  },
  decode(cursor) {
    const leap = readNull(cursor) ? null : readInt(cursor)
    return { leap, error: readNullableText(cursor, 'error'), warning: null }
  },
  emptyBytes: 2,
  empty: { leap: null, error: null, warning: null },
}

/** Gives each distinct tail of a chunk one index, by its encoded bytes. */
export class TailDictionary {
  readonly entries: Attributes[] = []
  readonly #format: TailFormat
  readonly #indexes = new Map<string, number>()
  #empty = -1
  /** The tail before this one, in the same bytes. */
  #lastStart = 0
  #lastLength = -1
  #lastIndex = 0

  constructor(format: TailFormat) {
    this.#format = format
  }

  /** Reads the tail at the cursor. @returns its index among the entries. */
  read(cursor: Cursor): number {
    const start = cursor.position
    this.#format.skip(cursor)
    const length = cursor.position - start
    if (length <= this.#format.emptyBytes) return this.#emptyIndex()
    if (!this.#isLast(cursor.bytes, start, length)) {
      this.#lastIndex = this.#find(cursor, start)
      this.#lastStart = start
      this.#lastLength = length
    }
    return this.#lastIndex
  }

  #emptyIndex(): number {
    if (this.#empty < 0) this.#empty = this.entries.push(this.#format.empty) - 1
    return this.#empty
  }

  /** Most rows say what the row before said. */
  #isLast(bytes: Buffer, start: number, length: number): boolean {
    if (length !== this.#lastLength) return false
    for (let i = 0; i < length; i++) if (bytes[start + i] !== bytes[this.#lastStart + i]) return false
    return true
  }

  #find(cursor: Cursor, start: number): number {
    const key = cursor.bytes.toString('latin1', start, cursor.position)
    const known = this.#indexes.get(key)
    if (known !== undefined) return known
    this.#indexes.set(key, this.entries.length)
    return this.entries.push(this.#format.decode({ ...cursor, position: start })) - 1
  }
}
