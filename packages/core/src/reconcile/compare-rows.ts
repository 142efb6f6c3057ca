import { faultPoint } from '../contract/fault.js'
import type { LogScoreChunk } from '../contract/log-score.js'
import { differentColumns, equalIds, equalRows, type Place } from './columns.js'
import { ExtraRows, type ExtraRowsQuestion } from './extra-rows.js'
import type { FindingLog } from './finding.js'

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

/** After a difference so many rows are compared one by one, before whole columns are tried again. */
const ROWS_ONE_BY_ONE = 512

/**
 * Compares two streams of the same range, every column of every row. Memory: a chunk of each. Where they agree, whole
 * runs of columns are compared as bytes, and nothing is made of a row.
 */
export async function compareRows(comparison: RowComparison): Promise<void> {
  const source = new Cursor(comparison.source, comparison.onChunk)
  const archive = new Cursor(comparison.archive)
  const pair = new Pair(source, archive, comparison)
  try {
    await source.fill()
    await faultPoint('verify.source-read')
    await archive.fill()
    while (!source.ended) {
      const singles = pair.skipEqual() ? 1 : ROWS_ONE_BY_ONE
      for (let left = singles; left > 0 && !source.ended; left--) await pair.compareNext()
    }
    await pair.finish()
  } finally {
    comparison.log.closeRun()
    await Promise.all([source.close(), archive.close()])
  }
}

/** Steps through a stream of chunks. */
class Cursor implements Place {
  private readonly stream: AsyncIterator<LogScoreChunk>
  private readonly onChunk: RowComparison['onChunk']
  /** Only while not `ended`. */
  chunk!: LogScoreChunk
  row = 0
  /** Chunks so far. */
  chunks = 0
  ended = false

  constructor(chunks: AsyncIterable<LogScoreChunk>, onChunk: RowComparison['onChunk'] = () => undefined) {
    this.stream = chunks[Symbol.asyncIterator]()
    this.onChunk = onChunk
  }

  get id(): bigint {
    return this.chunk.id[this.row]!
  }

  /** Rows of the chunk from this one on. */
  get left(): number {
    return this.ended ? 0 : this.chunk.rows - this.row
  }

  async fill(): Promise<void> {
    const next = await this.stream.next()
    this.row = 0
    this.chunks += 1
    if (next.done) this.ended = true
    else this.chunk = next.value
  }

  /** Moves to the next row; the chunk may be another one then. */
  async advance(): Promise<void> {
    if (++this.row < this.chunk.rows) return
    this.onChunk(this.chunk.rows)
    await this.fill()
  }

  async close(): Promise<void> {
    await this.stream.return?.()
  }
}

/** The two streams, and what is found between them. */
class Pair {
  private readonly source: Cursor
  private readonly archive: Cursor
  private readonly log: FindingLog
  private readonly extra: ExtraRows
  private readonly archived: RowComparison['archived']
  /** The source's chunk of this number, converted. */
  private converted: { readonly number: number; readonly chunk: LogScoreChunk } | undefined
  /** The source's row before. */
  private previousId: bigint | undefined

  constructor(source: Cursor, archive: Cursor, { log, extraRows, archived }: RowComparison) {
    this.source = source
    this.archive = archive
    this.log = log
    this.archived = archived
    this.extra = new ExtraRows({ ...extraRows, log })
  }

  /**
   * Passes over rows that are the same, as long as both chunks last; the last of them is left, because the row after it
   * in the archive may be its double.
   *
   * @returns false where there is a difference ahead.
   */
  skipEqual(): boolean {
    const { source, archive } = this
    const rows = Math.min(source.left, archive.left)
    if (rows < 2) return !archive.ended
    if (!equalIds(source, archive, rows) || !equalRows(this.expected(), archive, rows)) return false
    source.row += rows - 1
    archive.row += rows - 1
    this.previousId = source.chunk.id[source.row - 1]!
    return true
  }

  /** Compares the source's row with as many as the archive has of it, and notes what the archive has before it. */
  async compareNext(): Promise<void> {
    const { source, archive } = this
    const { id } = source
    let copies = 0
    for (; !archive.ended && archive.id <= id; await archive.advance()) {
      if (archive.id < id) await this.addExtra()
      else {
        copies += 1
        this.compareColumns(id)
      }
    }
    this.extra.endRun()
    if (copies === 0) this.log.addRow('missing', id, this.previousId)
    else if (copies > 1) this.log.addRow('doubled', id, this.previousId)
    this.previousId = id
    await source.advance()
  }

  /** What the archive has after the source's last row. */
  async finish(): Promise<void> {
    const { archive } = this
    for (; !archive.ended; await archive.advance()) await this.addExtra()
    await this.extra.flush()
  }

  private addExtra(): Promise<void> {
    const { archive } = this
    return this.extra.add(archive.id, archive.chunk.serverId[archive.row]!)
  }

  private compareColumns(id: bigint): void {
    const expected = this.expected()
    if (equalRows(expected, this.archive, 1)) return
    const columns = differentColumns(expected, this.archive)
    if (columns.length > 0) this.log.add({ kind: 'different', id, columns })
  }

  /** The source's row as it is, or as the archive's conversions make it: as the archive has the row that is compared. */
  private expected(): Place {
    const { chunk, row, chunks: number } = this.source
    if (this.archived === undefined || this.archive.chunk.exact) return this.source
    if (this.converted?.number !== number) this.converted = { number, chunk: this.archived(chunk) }
    return { chunk: this.converted.chunk, row }
  }
}
