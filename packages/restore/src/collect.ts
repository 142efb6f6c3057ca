import { ArchiverError, type Attributes, allocateChunk, type LogScoreChunk } from '@archiver/core'
import { differentColumns, equalRows, type Place } from '@archiver/core/reconcile'
import { copyRows, firstNotAbove } from './columns.js'

/** Which rows of the archive are wanted. */
export interface Selection {
  readonly serverId?: number | undefined
  /** Inclusive, in seconds since 1970. */
  readonly fromSeconds?: number | undefined
  /** Inclusive. */
  readonly toSeconds?: number | undefined
}

/** Rows of one transaction. */
const ROWS_A_BATCH = 10_000

/**
 * The wanted rows in chunks of {@link ROWS_A_BATCH}, each id once and higher than the one before; a chunk holds exact rows
 * or others. A chunk is valid until the next is asked for.
 *
 * @param onDoubled - told of a row that the archive holds twice in the same form.
 * @throws ArchiverError (RESTORE_ORDER, RESTORE_DOUBLED) where the archive cannot be believed: the rows before have been given.
 */
export async function* collect(
  chunks: AsyncIterable<LogScoreChunk>,
  selection: Selection,
  onDoubled: (id: bigint) => void,
): AsyncGenerator<LogScoreChunk> {
  const collector = new Collector(onDoubled)
  for await (const chunk of chunks) {
    collector.source(chunk)
    for (const [first, end] of wantedRuns(chunk, selection)) {
      for (let at = first; at < end; ) {
        if (!collector.takes(chunk)) {
          yield collector.chunk
          collector.clear()
        }
        at = collector.add(at, end)
      }
    }
  }
  if (collector.rows > 0) yield collector.chunk
}

/** Rows next to each other that are wanted: all of them where nothing is selected. */
function* wantedRuns(chunk: LogScoreChunk, selection: Selection): Generator<readonly [first: number, end: number]> {
  const { serverId, fromSeconds = 0, toSeconds = Number.POSITIVE_INFINITY } = selection
  if (serverId === undefined && fromSeconds === 0 && toSeconds === Number.POSITIVE_INFINITY) {
    yield [0, chunk.rows]
    return
  }
  let first = -1
  for (let i = 0; i < chunk.rows; i++) {
    const ts = chunk.tsSeconds[i]!
    const wanted = (serverId === undefined || chunk.serverId[i] === serverId) && ts >= fromSeconds && ts <= toSeconds
    if (wanted && first < 0) first = i
    if (wanted || first < 0) continue
    yield [first, i]
    first = -1
  }
  if (first >= 0) yield [first, chunk.rows]
}

class Collector {
  rows = 0
  private readonly columns = allocateChunk(ROWS_A_BATCH)
  private readonly onDoubled: (id: bigint) => void
  private dictionary: Attributes[] = []
  /** Where the entries of the source's dictionary are in ours; -1 for not yet. */
  private entries = new Int32Array(0)
  private from!: LogScoreChunk
  private exact: boolean | undefined
  private lastId = -1n
  /** The last row of the chunk that was given away: in memory until another is copied. */
  private given: Place | undefined

  constructor(onDoubled: (id: bigint) => void) {
    this.onDoubled = onDoubled
  }

  get chunk(): LogScoreChunk {
    const exact = this.exact ? { exact: true } : {}
    return { ...this.columns, rows: this.rows, dictionary: this.dictionary, ...exact }
  }

  private get lastPlace(): Place | undefined {
    return this.rows > 0 ? { chunk: this.chunk, row: this.rows - 1 } : this.given
  }

  source(chunk: LogScoreChunk): void {
    this.from = chunk
    this.entries = new Int32Array(chunk.dictionary.length).fill(-1)
  }

  /** Whether there is room for rows of this chunk beside those that are here. */
  takes({ exact = false }: LogScoreChunk): boolean {
    return this.rows === 0 || (this.rows < ROWS_A_BATCH && this.exact === exact)
  }

  clear(): void {
    this.given = { chunk: this.chunk, row: this.rows - 1 }
    this.rows = 0
    this.dictionary = []
    this.entries.fill(-1)
  }

  /** Takes rows of the source as far as there is room. @returns the first that was not taken. */
  add(first: number, end: number): number {
    const { from } = this
    const upTo = Math.min(end, first + ROWS_A_BATCH - this.rows)
    const stop =
      this.lastId < 0n
        ? firstNotAbove(from.id, first + 1, upTo, from.id[first]!)
        : firstNotAbove(from.id, first, upTo, this.lastId)
    this.copy(first, stop)
    if (stop === upTo) return stop
    this.passDouble(stop)
    return stop + 1
  }

  private copy(first: number, end: number): void {
    if (first === end) return
    const { from, columns, rows } = this
    copyRows(from, first, end, columns, rows)
    for (let i = first; i < end; i++) columns.attributes[rows + i - first] = this.entryOf(from.attributes[i]!)
    this.rows += end - first
    this.exact = from.exact ?? false
    this.lastId = from.id[end - 1]!
  }

  private entryOf(index: number): number {
    const known = this.entries[index]!
    if (known >= 0) return known
    const entry = this.dictionary.push(this.from.dictionary[index]!) - 1
    this.entries[index] = entry
    return entry
  }

  /** A row that does not follow: the one before once more, or disorder. */
  private passDouble(row: number): void {
    const id = this.from.id[row]!
    if (id < this.lastId) throw disorder(id, this.lastId)
    const [before, double] = [this.lastPlace, { chunk: this.from, row }]
    if (before === undefined || !equalRows(before, double, 1)) {
      throw ambiguous(id, before === undefined ? [] : differentColumns(before, double))
    }
    this.onDoubled(id)
  }
}

function disorder(id: bigint, before: bigint): ArchiverError {
  return new ArchiverError(`the archive gives row ${id} after row ${before}`, {
    code: 'RESTORE_ORDER',
    hint: 'Its rows are out of order: archiver verify tells what is wrong with it.',
  })
}

function ambiguous(id: bigint, columns: readonly { readonly column: string }[]): ArchiverError {
  const where = columns.length === 0 ? '' : `, different in ${columns.map(({ column }) => column).join(', ')}`
  return new ArchiverError(`the archive holds row ${id} twice${where}`, {
    code: 'RESTORE_DOUBLED',
    hint: `Nobody can tell which is right: remove one, or leave the row out with --to ${id - 1n}, then --from ${id + 1n}.`,
  })
}
