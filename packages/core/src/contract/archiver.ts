import type { ArchiveReader } from './archive-reader.js'
import type { BatchPolicy, BatchSource, PlannedBatch, StoredRows, StoreResult } from './batch.js'
import { ArchiverError } from './errors.js'
import type { Lease } from './lease.js'
import type { LogScoreChunk } from './log-score.js'

/**
 * The words of this project, each used for one thing only.
 *
 * - **source**: the table of a database that the rows come from (`log_scores`).
 * - **archive**: where rows are kept for good: a folder of files, a table of another database.
 * - **adapter**: the code that writes one kind of archive; it implements {@link Archiver}.
 * - **archiver**: one configured adapter, named by its row in the status table.
 * - **mark**: the id of the last row an archiver has stored; every row at or below it is in the archive.
 * - **batch**: a planned range of ids `(afterId, upToId]`, stored as a whole under an identity of its own.
 * - **chunk**: some thousand rows of a batch as columns; what flows from the source to an adapter.
 * - **lag**: how far the mark is behind the newest row.
 */

/** A right that an archive's account should have, in the archive's own words. */
export interface ArchiveRight {
  readonly right: string
  /** What does not work, or costs more, where it is missing. */
  readonly without: string
}

/**
 * One archive. An adapter writes rows and tells what it holds; marks, locks and the source's database are not its business.
 * Calls never overlap: one at a time, `prepare` first.
 */
export interface Archiver extends AsyncDisposable {
  /** The name of its row in the status table. */
  readonly name: string
  readonly policy: BatchPolicy
  /**
   * A quick look, without connecting anywhere, whether the settings can work: a pass that has nothing to store tells of
   * a missing folder all the same. Absent where there is nothing to look at.
   */
  validate?(): Promise<void>
  /**
   * The statements by which {@link prepare} would make the archive's table, to be shown beforehand; empty where the table
   * is there and fits. Changes nothing, needs no lock. Absent where an archive has no tables.
   *
   * @throws ArchiverError where a table is there that does not fit.
   */
  pendingDdl?(table: string): Promise<readonly string[]>
  /** The rights that the account of the archive needs for `table`, for people. Nothing is asked. Absent where there are none. */
  rights?(table: string): readonly ArchiveRight[]
  /**
   * Makes the archive ready for `table`: creates what is missing, refuses what does not fit, removes what an
   * interrupted try left behind. Called with the lock held. Loses nothing, may be repeated.
   */
  prepare(table: string): Promise<void>
  /**
   * Writes the chunks' rows. A rejection may leave anything behind: {@link findStored} tells what. The same batch may be
   * stored again only for rows that `findStored` did not find. A batch whose range holds no row (no chunk comes) resolves
   * with 0 rows and leaves nothing.
   *
   * - **Durable when it resolves**: a file is synced, then gets its name, then its folder is synced; a server has acknowledged.
   * - **Visible under its own name only.** The name follows from the batch and from ids that its rows really have, so that two
   *   batches never share one. A file or object of another batch is never overwritten: the step that makes rows visible fails
   *   where the name is taken. Two processes never use the same temporary name.
   * - **The lease first.** {@link Lease.assertHeld} is called before every step that somebody else can see (a piece that is
   *   sent, the name, the commit), after the last wait before that step. Of several such steps, each has a call of its own.
   * - **Only this table.** Rows, files and statements of other tables are not read and not touched.
   *
   * @throws RowError before the row is written, when a value fits no documented conversion.
   * @throws ArchiverError for anything else, with a hint.
   */
  store(batch: PlannedBatch, chunks: AsyncIterable<LogScoreChunk>, lease: Lease): Promise<StoreResult>
  /**
   * What the archive holds of this batch's rows, after everything in flight has settled. Never guesses: throws when
   * it cannot tell, or when the archive holds rows of the range that the source does not have and has not deleted. Rows count
   * wherever they are: in the batch's own file, in files of other batches and of other programs.
   */
  findStored(batch: PlannedBatch, source: BatchSource, lease: Lease): Promise<StoredRows>
  /**
   * What the operator should know and that stops nothing, each with its code and a hint: what has come up since the last
   * call. Asked after {@link prepare} and after rows were stored. Absent where there never is anything.
   */
  takeWarnings?(): readonly ArchiverError[]
  /**
   * Milliseconds that all calls of {@link store} so far have spent on turning rows into the archive's form: for whoever
   * asks where the time goes. Absent where it is not counted.
   */
  readonly encodedMs?: number
  /**
   * Reads the archive back. `none` is a decision with a price: `verify`, `restore` and `read` do not work, rows that another
   * program stored above the mark are not found before a pass, and **cleanup deletes rows that nobody has compared with this
   * archive**: its mark alone counts.
   */
  readonly reader: ArchiveReader | 'none'
}

/** An archive that can be read back. */
export interface ReadableArchiver extends Archiver {
  readonly reader: ArchiveReader
}

/** @throws ArchiverError (ARCHIVE_NOT_READABLE) */
export function readerOf({ name, reader }: Archiver): ArchiveReader {
  if (reader !== 'none') return reader
  throw new ArchiverError(`${name} cannot be read back`, { code: 'ARCHIVE_NOT_READABLE', archiver: name })
}
