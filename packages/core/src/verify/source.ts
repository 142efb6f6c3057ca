import type { IdRange, RangeDigest } from '../archive-reader.js'
import type { Source } from '../engine/source.js'

/** The source table, as the verification sees it. */
export interface VerifySource extends Pick<Source, 'firstId' | 'read'> {
  /**
   * Computed by the server, in one statement.
   *
   * @param without - ids of the range that do not count, ascending.
   */
  digest(range: IdRange, without: readonly bigint[]): Promise<RangeDigest>
}
