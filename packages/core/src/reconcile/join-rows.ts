import { equalIds, equalRows, type Place } from './columns.js'
import type { IdCursor, RowCursor } from './row-cursor.js'

/** After a difference so many rows are joined one by one, before whole runs are tried again. */
const ROWS_ONE_BY_ONE = 512

/** What is done with the rows of two streams. */
export interface JoinVisitor {
  /**
   * Passes over rows that are the same in both streams: {@link skipEqualRows}. Absent where rows are joined one by one.
   *
   * @returns false where a difference is ahead.
   */
  skipEqual?(): boolean
  /** The archive has the row that the source's cursor is on: once for each copy. */
  both(id: bigint): void
  /** A row that the source does not have. */
  onlyArchive(id: bigint): Promise<void> | void
  /** A row of the source, and how often the archive has it. Absent: then the join ends with the archive's last row. */
  source?(id: bigint, copies: number): void
}

/**
 * Joins two streams of rows by their ids. The source has each id once, the archive any number of times. Whoever compares rows
 * of an archive with those of the source does it with this: verification, restore, and what an adapter finds of a batch.
 */
export async function joinRows(source: IdCursor, archive: IdCursor, visit: JoinVisitor): Promise<void> {
  let singles = 0
  while (source.id !== undefined && (archive.id !== undefined || visit.source !== undefined)) {
    if (singles === 0) singles = visit.skipEqual?.() === false ? ROWS_ONE_BY_ONE : 1
    const { id } = source
    let copies = 0
    while (archive.id !== undefined && archive.id <= id) {
      if (archive.id < id) await visit.onlyArchive(archive.id)
      else {
        copies += 1
        visit.both(id)
      }
      const more = archive.advance()
      if (more !== undefined) await more
    }
    visit.source?.(id, copies)
    singles -= 1
    const more = source.advance()
    if (more !== undefined) await more
  }
  for (; archive.id !== undefined; await archive.advance()) await visit.onlyArchive(archive.id)
}

/**
 * Moves both cursors over rows that are the same, as far as both chunks reach. The last of them is left, because the row after it
 * in the archive may be its double.
 *
 * @param expected - the source's row as the archive should have it.
 * @returns how many rows were passed; undefined where a difference is ahead.
 */
export function skipEqualRows(source: RowCursor, archive: RowCursor, expected: () => Place): number | undefined {
  const rows = Math.min(source.left, archive.left)
  if (rows < 2) return archive.id === undefined ? undefined : 0
  if (!equalIds(source, archive, rows) || !equalRows(expected(), archive, rows)) return undefined
  source.row += rows - 1
  archive.row += rows - 1
  return rows - 1
}
