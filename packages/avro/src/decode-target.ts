import type { allocateChunk, RowFilter } from '@archiver/core'

export type Columns = ReturnType<typeof allocateChunk>

/** Memory that the blocks of a file are decoded into, one after the other. */
export interface DecodeTarget {
  readonly columns: Columns
  /** Of all rows, also of those that the filter leaves out. The ids of the columns where there is no filter. */
  readonly allIds: BigUint64Array
  readonly filter: RowFilter | undefined
}
