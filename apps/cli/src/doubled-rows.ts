import { ArchiverError, type LogScoreChunk } from '@archiver/core'

/** Looks for rows that an archive holds more than once: in the order of ids they come one after the other. */
export class DoubledRows {
  #lastId = 0n
  #first: bigint | undefined
  #count = 0

  add({ id, rows }: LogScoreChunk): void {
    if (id[0] === this.#lastId) this.#found(this.#lastId)
    const halves = new Uint32Array(id.buffer, id.byteOffset, rows * 2)
    for (let at = 2; at < halves.length; at += 2) {
      if (halves[at] === halves[at - 2] && halves[at + 1] === halves[at - 1]) this.#found(id[at / 2]!)
    }
    this.#lastId = id[rows - 1]!
  }

  /** What there is to say of them; undefined where there are none. */
  error(archive: string): ArchiverError | undefined {
    if (this.#first === undefined) return undefined
    const others = this.#count === 1 ? '' : `, and so are ${this.#count - 1} others`
    return new ArchiverError(`${archive}: row ${this.#first} is there twice${others}`, {
      code: 'ROWS_DOUBLED',
      hint: 'All were written, as often as they are there; archiver verify names those that MySQL still has.',
    })
  }

  #found(id: bigint): void {
    this.#first ??= id
    this.#count += 1
  }
}
