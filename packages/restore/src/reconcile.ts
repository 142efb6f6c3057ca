import type { LogScoreChunk } from '@archiver/core'
import { type DifferentColumn, differentColumns, equalIds, equalRows, type Place } from '@archiver/core/reconcile'

/** A row that is in the table already, otherwise than in the archive. */
export interface Difference {
  readonly id: bigint
  /** `source` is what the archive has, `archive` what is in the table, after the archive's conversions. */
  readonly columns: readonly DifferentColumn[]
}

export interface Reconciliation {
  /** For each row of the chunk: 1 where the table does not have it. */
  readonly missing: Uint8Array
  readonly missingRows: number
  readonly sameRows: number
  readonly differentRows: number
}

/** After a difference so many rows are compared one by one, before whole columns are tried again. */
const ROWS_ONE_BY_ONE = 512

/**
 * Compares rows of an archive with those of the same ids that a table has: every column, in the form of the archive.
 *
 * @param there - the table's rows between the first and the last id of the chunk, ascending; others may be among them.
 * @param conversions - `archived`: the archive's, which do not apply to exact rows; `spelled`: of texts that the table spells anew.
 */
export async function reconcile(
  chunk: LogScoreChunk,
  there: AsyncIterable<LogScoreChunk>,
  { archived = same, spelled = same }: Conversions,
  onDifference: (difference: Difference) => void,
): Promise<Reconciliation> {
  const work = new Comparison(spelled(chunk), onDifference)
  for await (const rows of there) work.compare(spelled(chunk.exact ? rows : archived(rows)))
  const { missing, sameRows, differentRows } = work
  return { missing, missingRows: chunk.rows - sameRows - differentRows, sameRows, differentRows }
}

interface Conversions {
  readonly archived?: ((chunk: LogScoreChunk) => LogScoreChunk) | undefined
  readonly spelled?: ((chunk: LogScoreChunk) => LogScoreChunk) | undefined
}

function same(chunk: LogScoreChunk): LogScoreChunk {
  return chunk
}

class Comparison {
  readonly missing: Uint8Array
  sameRows = 0
  differentRows = 0
  private readonly onDifference: (difference: Difference) => void
  private readonly archive: { readonly chunk: LogScoreChunk; row: number }

  constructor(chunk: LogScoreChunk, onDifference: (difference: Difference) => void) {
    this.archive = { chunk, row: 0 }
    this.missing = new Uint8Array(chunk.rows).fill(1)
    this.onDifference = onDifference
  }

  compare(there: LogScoreChunk): void {
    const { archive } = this
    const table = { chunk: there, row: 0 }
    while (table.row < there.rows && archive.row < archive.chunk.rows) {
      if (this.skipEqual(table)) continue
      for (let left = ROWS_ONE_BY_ONE; left > 0; left--) if (!this.step(table)) return
    }
  }

  /** Passes over rows that are the same on both sides, as long as both last. */
  private skipEqual(table: { readonly chunk: LogScoreChunk; row: number }): boolean {
    const { archive } = this
    const rows = Math.min(archive.chunk.rows - archive.row, table.chunk.rows - table.row)
    if (!equalIds(archive, table, rows) || !equalRows(archive, table, rows)) return false
    this.missing.fill(0, archive.row, archive.row + rows)
    this.sameRows += rows
    archive.row += rows
    table.row += rows
    return true
  }

  /** One row of either side. @returns false at the end of one. */
  private step(table: { readonly chunk: LogScoreChunk; row: number }): boolean {
    const { archive } = this
    if (table.row >= table.chunk.rows || archive.row >= archive.chunk.rows) return false
    const [id, thereId] = [archive.chunk.id[archive.row]!, table.chunk.id[table.row]!]
    if (id === thereId) this.compareRow(id, table)
    if (id <= thereId) archive.row += 1
    if (thereId <= id) table.row += 1
    return true
  }

  private compareRow(id: bigint, table: Place): void {
    this.missing[this.archive.row] = 0
    const columns = equalRows(this.archive, table, 1) ? [] : differentInSql(this.archive, table)
    if (columns.length === 0) {
      this.sameRows += 1
      return
    }
    this.differentRows += 1
    this.onDifference({ id, columns })
  }
}

/** 0 and -0 are the same in SQL, and MariaDB keeps no -0. */
function differentInSql(archive: Place, table: Place): DifferentColumn[] {
  return differentColumns(archive, table).filter((column) => column.source !== column.archive)
}
