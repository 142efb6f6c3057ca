import type { LogScoreChunk } from '@archiver/core'

/** Rows `from` (inclusive) to `to` (exclusive) of a chunk. */
export interface Rows {
  readonly chunk: LogScoreChunk
  readonly from: number
  readonly to: number
}
