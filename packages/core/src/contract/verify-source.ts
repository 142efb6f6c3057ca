import type { IdRange, RangeDigest, TimeSpan } from './archive-reader.js'
import type { Source } from './source.js'

/** A digest, and when the rows of the range were measured. */
export interface SourceDigest extends RangeDigest {
  /** That of every row of the range, those that do not count included; ascending. Empty where there is no row. */
  readonly times: readonly TimeSpan[]
}

/** The source table, as the verification sees it. */
export interface VerifySource extends Pick<Source, 'firstId' | 'read' | 'nextId' | 'existingIds'> {
  /**
   * Computed by the server, in one statement.
   *
   * @param without - ids of the range that do not count, ascending.
   */
  digest(range: IdRange, without: readonly bigint[]): Promise<SourceDigest>
}
