import type { LogScoreChunk } from '@archiver/core'

/** Rows of the source as the table holds them: the documented conversions, for whole columns. */
export class ArchivedChunks {
  #score = new Float64Array(0)
  #step = new Float64Array(0)
  #rtt = new Int32Array(0)
  #rttNull = new Uint8Array(0)
  /** Always zeros: the table has no null monitor. */
  #monitorIdNull = new Uint8Array(0)

  /** Valid until the next call. */
  of(chunk: LogScoreChunk): LogScoreChunk {
    const { rows, score, step, rtt, rttNull } = chunk
    this.#reserve(rows)
    for (let i = 0; i < rows; i++) {
      const below = rtt[i]! >>> 31
      this.#rtt[i] = below ? 0 : rtt[i]!
      this.#rttNull[i] = rttNull[i]! | below
      this.#score[i] = Math.fround(score[i]!)
      this.#step[i] = Math.fround(step[i]!)
    }
    return {
      ...chunk,
      score: this.#score,
      step: this.#step,
      rtt: this.#rtt,
      rttNull: this.#rttNull,
      monitorIdNull: this.#monitorIdNull,
    }
  }

  #reserve(rows: number): void {
    if (rows <= this.#score.length) return
    this.#score = new Float64Array(rows)
    this.#step = new Float64Array(rows)
    this.#rtt = new Int32Array(rows)
    this.#rttNull = new Uint8Array(rows)
    this.#monitorIdNull = new Uint8Array(rows)
  }
}
