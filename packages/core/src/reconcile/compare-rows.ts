import { faultPoint } from '../contract/fault.js'
import type { LogScoreChunk } from '../contract/log-score.js'
import { differentColumns, equalRows, type Place } from './columns.js'
import { ExtraRows, type ExtraRowsQuestion } from './extra-rows.js'
import type { FindingLog } from './finding.js'
import { type JoinVisitor, joinRows, skipEqualRows } from './join-rows.js'
import { RowCursor } from './row-cursor.js'

export interface RowComparison {
  /** Ascending, each id once. */
  readonly source: AsyncIterable<LogScoreChunk>
  /** The archive's conversions; they have not touched rows that the archive has exactly. Absent where there are none. */
  readonly archived?: ((chunk: LogScoreChunk) => LogScoreChunk) | undefined
  /** Ascending. */
  readonly archive: AsyncIterable<LogScoreChunk>
  readonly log: FindingLog
  /** For rows that only the archive has. */
  readonly extraRows: Omit<ExtraRowsQuestion, 'log'>
  /** Called for each chunk of the source, when all of it is compared. */
  readonly onChunk: (rows: number) => void
}

/**
 * Compares two streams of the same range, every column of every row. Memory: a chunk of each. Where they agree, whole
 * runs of columns are compared as bytes, and nothing is made of a row.
 */
export async function compareRows(comparison: RowComparison): Promise<void> {
  const { log, extraRows } = comparison
  try {
    await using source = await RowCursor.open(comparison.source, comparison.onChunk)
    await faultPoint('verify.source-read')
    await using archive = await RowCursor.open(comparison.archive)
    const extra = new ExtraRows({ ...extraRows, log })
    await joinRows(source, archive, new Pair(source, archive, comparison, extra))
    await extra.flush()
  } finally {
    log.closeRun()
  }
}

/** The two streams, and what is found between them. */
class Pair implements JoinVisitor {
  private readonly sourceRows: RowCursor
  private readonly archive: RowCursor
  private readonly log: FindingLog
  private readonly extra: ExtraRows
  private readonly archived: RowComparison['archived']
  /** The source's chunk of this number, converted. */
  private converted: { readonly number: number; readonly chunk: LogScoreChunk } | undefined
  /** The source's row before. */
  private previousId: bigint | undefined

  constructor(source: RowCursor, archive: RowCursor, { log, archived }: RowComparison, extra: ExtraRows) {
    this.sourceRows = source
    this.archive = archive
    this.log = log
    this.archived = archived
    this.extra = extra
  }

  skipEqual(): boolean {
    const rows = skipEqualRows(this.sourceRows, this.archive, () => this.expected())
    if (rows) this.previousId = this.sourceRows.chunk.id[this.sourceRows.row - 1]!
    return rows !== undefined
  }

  both(id: bigint): void {
    this.compareColumns(id)
  }

  onlyArchive(id: bigint): Promise<void> {
    return this.extra.add(id, this.archive.serverId)
  }

  source(id: bigint, copies: number): void {
    this.extra.endRun()
    if (copies === 0) this.log.addRow('missing', id, this.previousId)
    else if (copies > 1) this.log.addRow('doubled', id, this.previousId)
    this.previousId = id
  }

  private compareColumns(id: bigint): void {
    const expected = this.expected()
    if (equalRows(expected, this.archive, 1)) return
    const columns = differentColumns(expected, this.archive)
    if (columns.length > 0) this.log.add({ kind: 'different', id, columns })
  }

  /** The source's row as it is, or as the archive's conversions make it: as the archive has the row that is compared. */
  private expected(): Place {
    const { chunk, row, chunks: number } = this.sourceRows
    if (this.archived === undefined || this.archive.chunk.exact) return this.sourceRows
    if (this.converted?.number !== number) this.converted = { number, chunk: this.archived(chunk) }
    return { chunk: this.converted.chunk, row }
  }
}
