import type { CleanupMarks } from '@archiver/core'
import type { Kysely, RawBuilder, Transaction } from 'kysely'
import type { ControlTables, controlTableNames } from '../tables.js'

/** Where a statement runs: on its own, or within a transaction. */
export type Queries = Kysely<ControlTables> | Transaction<ControlTables>

/** What one transaction has deleted. */
export interface DeletedRange {
  readonly firstId: bigint
  readonly lastId: bigint
  readonly rows: number
}

/** The table that is cleaned, for those who write statements about it. */
export interface CleanedTable {
  readonly db: Kysely<ControlTables>
  readonly name: string
  readonly names: ReturnType<typeof controlTableNames>
  /** Its name, quoted. */
  readonly table: RawBuilder<unknown>
  /** @throws ArchiverError for whatever `work` throws. */
  try<T>(doing: string, work: () => Promise<T>): Promise<T>
}

/** The same, for the transaction that deletes. */
export interface DeletableTable extends CleanedTable {
  lookForReferences(): Promise<void>
  /** Rows that are old enough, and to which no row of another table points. */
  isDeletable(cutoff: string): RawBuilder<boolean>
  /**
   * Who needs which rows. With the lock no mark can be moved and no archiver added until the transaction ends.
   *
   * @param lock - `for share`, in the server's dialect.
   */
  marksIn(queries: Queries, lock: RawBuilder<unknown>): Promise<CleanupMarks>
  /** Files a range that is deleted in the transaction, in the record of its run. @returns the record's id. */
  file(queries: Queries, recordId: bigint | null, range: DeletedRange): Promise<bigint>
}
