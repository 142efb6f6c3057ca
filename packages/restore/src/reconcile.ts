import { type LogScoreChunk, RowCursor } from '@archiver/core'
import {
  type DifferentColumn,
  differentColumns,
  equalRows,
  type JoinVisitor,
  joinRows,
  type Place,
  skipEqualRows,
} from '@archiver/core/reconcile'

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
  await using archive = await RowCursor.open(each([chunk], spelled))
  await using table = await RowCursor.open(each(there, (rows) => spelled(chunk.exact ? rows : archived(rows))))
  const work = new Comparison(archive, table, onDifference)
  await joinRows(archive, table, work)
  const { missing, sameRows, differentRows } = work
  return { missing, missingRows: chunk.rows - sameRows - differentRows, sameRows, differentRows }
}

async function* each(
  chunks: Iterable<LogScoreChunk> | AsyncIterable<LogScoreChunk>,
  convert: (chunk: LogScoreChunk) => LogScoreChunk,
): AsyncGenerator<LogScoreChunk> {
  for await (const chunk of chunks) yield convert(chunk)
}

interface Conversions {
  readonly archived?: ((chunk: LogScoreChunk) => LogScoreChunk) | undefined
  readonly spelled?: ((chunk: LogScoreChunk) => LogScoreChunk) | undefined
}

function same(chunk: LogScoreChunk): LogScoreChunk {
  return chunk
}

/** The archive's rows are the source of what is written: each is there once. */
class Comparison implements JoinVisitor {
  readonly missing: Uint8Array
  sameRows = 0
  differentRows = 0
  private readonly archive: RowCursor
  private readonly table: RowCursor
  private readonly onDifference: (difference: Difference) => void

  constructor(archive: RowCursor, table: RowCursor, onDifference: (difference: Difference) => void) {
    this.archive = archive
    this.table = table
    this.missing = new Uint8Array(archive.chunk.rows).fill(1)
    this.onDifference = onDifference
  }

  skipEqual(): boolean {
    const first = this.archive.row
    const rows = skipEqualRows(this.archive, this.table, () => this.archive)
    if (rows) {
      this.missing.fill(0, first, first + rows)
      this.sameRows += rows
    }
    return rows !== undefined
  }

  both(id: bigint): void {
    this.missing[this.archive.row] = 0
    const columns = equalRows(this.archive, this.table, 1) ? [] : differentInSql(this.archive, this.table)
    if (columns.length === 0) {
      this.sameRows += 1
      return
    }
    this.differentRows += 1
    this.onDifference({ id, columns })
  }

  /** Rows that the table has beside the archive's stay as they are. */
  onlyArchive(): void {}
}

/** 0 and -0 are the same in SQL, and MariaDB keeps no -0. */
function differentInSql(archive: Place, table: Place): DifferentColumn[] {
  return differentColumns(archive, table).filter((column) => column.source !== column.archive)
}
