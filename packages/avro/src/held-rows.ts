import {
  ArchiverError,
  type BatchSource,
  deletedRowsOf,
  type IdRange,
  type Lease,
  type LogScoreChunk,
  type PlannedBatch,
  placeOf,
  RowCursor,
  RowsNotInSource,
  rowAfter,
  type StoredRows,
  viewRows,
} from '@archiver/core'
import { joinRows } from '@archiver/core/reconcile'
import { isOfBatch, namesABatch } from './batch-metadata.js'
import { differingColumn } from './compare.js'
import { isUnreadable } from './unreadable.js'

/** A file, or an object, that may hold rows of a batch. */
export interface BatchFile {
  /** What errors and identities call it. */
  readonly name: string
  /** The first row's id, as its name says. */
  readonly firstId: bigint
  /** No row has a higher id, as its metadata says. Undefined where that is not known. */
  readonly upToId?: bigint | undefined
  bytes(): Promise<number>
  /** What it says about its batch; undefined where it is gone or no Avro file. */
  metadata(): Promise<Readonly<Record<string, string>> | undefined>
  rows(): AsyncIterable<LogScoreChunk>
}

/** One file's share of a batch's rows. */
interface Held {
  readonly file: BatchFile
  /** Those that the source has too. */
  readonly rows: number
  /** Those that were deleted from the source since. */
  readonly deletedRows: number
  readonly firstId: bigint
  readonly lastId: bigint
  /** All rows the source has in the range. */
  readonly sourceRows: number
}

/** The batch in question and where to look. */
export interface HeldRowsQuestion {
  /** What errors call the archive: a folder's path, a bucket. */
  readonly archive: string
  /** Everything that may hold rows of the batch, in order of the first rows: see {@link mayHoldRows}. */
  readonly files: readonly BatchFile[]
  readonly batch: PlannedBatch
  readonly source: BatchSource
  readonly lease: Lease
}

/**
 * Which of a batch's rows the files hold. Reads each of them wholly and compares it with the source, all columns; memory
 * does not grow with the rows unless the answer is a list of ids.
 */
export async function heldRows(question: HeldRowsQuestion): Promise<StoredRows> {
  const found: Held[] = []
  for (const file of question.files) {
    const share = await heldBy(question, file)
    if (share) found.push(share)
  }
  const deletedRows = found.reduce((total, share) => total + share.deletedRows, 0)
  const held = found.filter(({ rows }) => rows > 0)
  return { ...(await sharesOf(question, held)), ...deletedRowsOf(deletedRows) }
}

async function sharesOf(question: HeldRowsQuestion, held: readonly Held[]): Promise<StoredRows> {
  if (held.length === 0) return { kind: 'none' }
  const rows = held.reduce((total, share) => total + share.rows, 0)
  const overlap = held.some(({ firstId }, i) => i > 0 && firstId <= held[i - 1]!.lastId)
  const ids = overlap || rows < held[0]!.sourceRows ? await heldIds(question, held, rows) : undefined
  if (overlap) refuseDoubled(question, held, ids!)
  if (rows < held[0]!.sourceRows) return { kind: 'some', ids: ids! }
  let bytes = 0
  for (const { file } of held) bytes += await file.bytes()
  return { kind: 'all', result: { rows, bytes, identity: namesOf(held) } }
}

function namesOf(held: readonly Held[]): string {
  return held.map(({ file }) => file.name).join(', ')
}

/** Files overlap where late rows have a file of their own: that is in order as long as no row is in two of them. */
function refuseDoubled(question: HeldRowsQuestion, held: readonly Held[], ids: BigUint64Array): void {
  const doubled = ids.find((id, i) => i > 0 && id === ids[i - 1])
  if (doubled !== undefined) {
    throw contradiction(question, `rows of ${namesOf(held)} are there twice, row ${doubled} for one`)
  }
}

/** Ascending. */
async function heldIds(question: HeldRowsQuestion, held: readonly Held[], rows: number): Promise<BigUint64Array> {
  const ids = new BigUint64Array(rows)
  let count = 0
  for (const { file } of held) {
    await heldBy(question, file, (id) => {
      ids[count++] = id
    })
  }
  return ids.sort()
}

/**
 * Those that may hold rows of the range, in order of their first rows: those that begin within it, and those before it
 * that reach into it. Of those that do not say where they end only the last can: they were written one after the other.
 */
export function mayHoldRows<T extends Pick<BatchFile, 'firstId' | 'upToId'>>(
  files: Iterable<T>,
  { afterId, upToId }: IdRange,
): T[] {
  const sorted = [...files].filter(({ firstId }) => firstId <= upToId).sort((a, b) => (a.firstId < b.firstId ? -1 : 1))
  const endless = sorted.findLast((file) => file.firstId <= afterId && file.upToId === undefined)
  const reaches = ({ upToId: end }: T): boolean => end !== undefined && end > afterId
  return sorted.filter((file) => file.firstId > afterId || file === endless || reaches(file))
}

/** What one file holds of the range; undefined where that is nothing, or where the file is not of this source. */
async function heldBy(
  question: HeldRowsQuestion,
  file: BatchFile,
  onId?: (id: bigint) => void,
): Promise<Held | undefined> {
  const { batch } = question
  const metadata = await file.metadata()
  if (metadata === undefined || endsBefore(metadata, batch)) return undefined
  const { 'archiver.table': table = batch.table } = metadata
  if (table !== batch.table) return undefined
  try {
    return await matchRows(question, file, metadata, onId)
  } catch (thrown) {
    if (isUnreadable(thrown)) return undefined
    throw thrown
  }
}

function endsBefore(metadata: Readonly<Record<string, string>>, { afterId }: PlannedBatch): boolean {
  return namesABatch(metadata) && BigInt(metadata['archiver.up_to'] ?? afterId) <= afterId
}

async function matchRows(
  question: HeldRowsQuestion,
  file: BatchFile,
  metadata: Readonly<Record<string, string>>,
  onId: (id: bigint) => void = () => undefined,
): Promise<Held | undefined> {
  const { batch } = question
  const matched = new MatchedRows(isOfBatch(metadata, batch), onId)
  await using held = await RowCursor.open(rowsOfRange(question, file, metadata, matched))
  if (held.id === undefined) return undefined
  await using source = await RowCursor.open(question.source.read())
  const others = new RowsNotInSource(question.source)
  await joinRows(source, held, {
    both(id) {
      if (matched.isOther) return
      const column = differingColumn(source, held)
      if (column === undefined) matched.add(id)
      else if (matched.mayBeOther && anotherRow.has(column)) matched.isOther = true
      else throw contradiction(question, `${file.name} and ${batch.table} differ at row ${id}, column ${column}`)
    },
    onlyArchive: (id) => (matched.isOther ? undefined : others.add(id)),
  })
  if (matched.isOther) return undefined
  await others.settle()
  const { foreign, deletedRows } = others
  if (foreign.count > 0) {
    if (matched.mayBeOther) return undefined
    throw contradiction(question, `${file.name} holds ${foreign}, which ${batch.table} does not have`)
  }
  const { rows, firstId, lastId } = matched
  if (rows > 0) await source.drain()
  return { file, rows, deletedRows, firstId, lastId, sourceRows: source.rowsBefore }
}

/** The rows of a file that the source has too. */
class MatchedRows {
  rows = 0
  firstId = 0n
  lastId = 0n
  /** Whether the file belongs to another installation. */
  isOther = false
  readonly #isOfBatch: boolean
  readonly #onId: (id: bigint) => void

  constructor(isOfBatch: boolean, onId: (id: bigint) => void) {
    this.#isOfBatch = isOfBatch
    this.#onId = onId
  }

  get mayBeOther(): boolean {
    return this.rows === 0 && !this.#isOfBatch
  }

  add(id: bigint): void {
    if (this.rows++ === 0) this.firstId = id
    this.lastId = id
    this.#onId(id)
  }
}

/** The rows of the batch's range. @throws where a file that does not name a batch goes on beyond it. */
async function* rowsOfRange(
  question: HeldRowsQuestion,
  file: BatchFile,
  metadata: Readonly<Record<string, string>>,
  matched: MatchedRows,
): AsyncGenerator<LogScoreChunk> {
  const { batch, lease } = question
  for await (const chunk of file.rows()) {
    lease.assertHeld()
    const from = rowAfter(chunk, batch.afterId)
    const to = rowAfter(chunk, batch.upToId, from)
    if (to > from) yield viewRows(chunk, from, to)
    if (matched.isOther) return
    if (to === chunk.rows) continue
    if (namesABatch(metadata)) return
    throw contradiction(question, `${file.name} goes on beyond the batch, with row ${chunk.id[to]}`)
  }
}

/** A first row that differs in one of these is another row: the file belongs to another installation. */
const anotherRow: ReadonlySet<string> = new Set(['server_id', 'ts'])

function contradiction({ archive, batch }: HeldRowsQuestion, what: string): ArchiverError {
  return new ArchiverError(
    `${archive}: ${what} (batch ${batch.id}, ids above ${batch.afterId}, up to ${batch.upToId})`,
    {
      code: 'AVRO_ARCHIVE_CONTRADICTS',
      hint: 'Compare the file with the table. If the file is right, set the mark to its last row; if not, move it away.',
      ...placeOf(batch),
    },
  )
}
