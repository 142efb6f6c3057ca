import type { Archiver, LogScore } from '@archiver/core'

export type DiskStep = 'sync' | 'publish' | 'sync folder'

/** One kind of archive, as the suite sees it. Nothing is shared between tables. */
export interface ConformanceSubject {
  /**
   * Opens the adapter on the archive of `table`, a name the suite makes up (`conformance_…`). Called again for the same
   * table where the suite plays a process that starts anew; the archive must still be there then.
   */
  open(table: string): Promise<Archiver>
  /** Every row the archive holds of `table`, in any order; read by something else than the adapter where possible. */
  read(table: string): Promise<LogScore[]>
  /**
   * The row as {@link read} gives it back: the documented conversions. Throws the `RowError` that `store` must throw for
   * a row it refuses. Default: the row itself.
   */
  convert?(row: LogScore): LogScore
  /** Whether an interrupted `store` leaves no row at all (files and objects). Default false. */
  readonly wholeBatches?: boolean
  /** The names of temporary files of `table` that are there now. For archives that have such files. */
  leftovers?(table: string): Promise<readonly string[]>
  /**
   * What was done to the disk for `table` since the last call, in order: the bytes of a file were synced, a file got its name,
   * the folder of that name was synced. For archives on a disk of ours.
   */
  diskLog?(table: string): readonly DiskStep[]
  /** Rows that are not where the documented form of the archive has them, a sentence each. For archives with such a form. */
  misplaced?(table: string): Promise<readonly string[]>
}
