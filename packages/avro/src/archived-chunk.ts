import type { LogScoreChunk } from '@archiver/core'

/** What version 1 of the record does not give back, for people. */
export const lostByVersion1: readonly string[] = [
  'score, step and offset have 32 bits instead of 64',
  'a monitor_id of NULL was stored as 0, and comes back as NULL',
  'warnings were not stored',
  'of attributes only leap (1 to 3) and error were stored: the keys stratum, no_response, from_ls_id, from_ss_id and all others are lost',
  'an attributes text with neither leap nor error, such as {"leap":0}, comes back as NULL',
  'rows that were stored with avro_schema=2 come back as they were',
]

/**
 * Rows of the source as an Avro file of version 1 holds them: what `archivedRow` does to one row, for whole columns. Values that the
 * writer refuses become what 32 bits make of them.
 */
export class ArchivedChunks {
  #score = new Float64Array(0)
  #step = new Float64Array(0)
  #offset = new Float64Array(0)
  /** Always zeros: a file has no null monitor. */
  #monitorIdNull = new Uint8Array(0)

  /** Valid until the next call. */
  of(chunk: LogScoreChunk): LogScoreChunk {
    const { rows } = chunk
    this.#reserve(rows)
    round(chunk.score, this.#score, rows)
    round(chunk.step, this.#step, rows)
    round(chunk.offset, this.#offset, rows)
    return {
      ...chunk,
      score: this.#score,
      step: this.#step,
      offset: this.#offset,
      monitorIdNull: this.#monitorIdNull,
      dictionary: chunk.dictionary.map(({ leap, error }) => ({
        leap,
        error: error?.toWellFormed() ?? null,
        warning: null,
      })),
    }
  }

  #reserve(rows: number): void {
    if (rows <= this.#score.length) return
    this.#score = new Float64Array(rows)
    this.#step = new Float64Array(rows)
    this.#offset = new Float64Array(rows)
    this.#monitorIdNull = new Uint8Array(rows)
  }
}

function round(from: Float64Array, to: Float64Array, rows: number): void {
  for (let i = 0; i < rows; i++) to[i] = Math.fround(from[i]!)
}
