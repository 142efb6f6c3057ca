import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readLogScores } from '@archiver/avro'
import { ArchiverError, type Permit, type PlannedBatch, type ReadRows, type StoredRows } from '@archiver/core'
import { isOfBatch, namesABatch } from './batch-metadata.js'
import { differingColumn, RowCursor } from './compare.js'
import { isUnreadable, readMetadata } from './existing-file.js'
import { firstIdOf } from './file-name.js'

/** One file's share of a batch's rows. */
interface Held {
  readonly name: string
  readonly bytes: number
  readonly rows: number
  readonly firstId: bigint
  readonly lastId: bigint
  /** All rows the source has in the range. */
  readonly sourceRows: number
}

/** The batch in question and where to look. */
export interface Question {
  readonly path: string
  readonly batch: PlannedBatch
  readonly source: ReadRows
  readonly permit: Permit
}

/**
 * Which of a batch's rows the files of a folder hold. Reads every file that may hold one, wholly, and compares it with
 * the source, all columns; memory does not grow with the rows unless the answer is a list of ids.
 */
export async function heldRows(question: Question): Promise<StoredRows> {
  const held: Held[] = []
  for (const name of await candidates(question)) {
    const share = await heldBy(question, name)
    if (share) held.push(share)
  }
  if (held.length === 0) return { kind: 'none' }
  const rows = held.reduce((total, share) => total + share.rows, 0)
  const overlapping = held.find(({ firstId }, i) => i > 0 && firstId <= held[i - 1]!.lastId)
  if (overlapping)
    throw contradiction(question, `rows of ${namesOf(held)} are there twice, row ${overlapping.firstId} for one`)
  if (rows < held[0]!.sourceRows) return { kind: 'some', ids: await heldIds(question, held, rows) }
  const bytes = held.reduce((total, share) => total + share.bytes, 0)
  return { kind: 'all', result: { rows, bytes, identity: namesOf(held) } }
}

function namesOf(held: readonly Held[]): string {
  return held.map(({ name }) => name).join(', ')
}

async function heldIds(question: Question, held: readonly Held[], rows: number): Promise<BigUint64Array> {
  const ids = new BigUint64Array(rows)
  let count = 0
  for (const { name } of held) {
    await heldBy(question, name, (id) => {
      ids[count++] = id
    })
  }
  return ids
}

/** Files that begin within the range, in order of their first rows, after the last that begins before it. */
async function candidates({ path, batch }: Question): Promise<string[]> {
  const files = (await readdir(path)).flatMap((name) => {
    const firstId = firstIdOf(name)
    return firstId === undefined || firstId > batch.upToId ? [] : [{ name, firstId }]
  })
  files.sort((a, b) => (a.firstId < b.firstId ? -1 : 1))
  const before = files.findLast(({ firstId }) => firstId <= batch.afterId)
  const within = files.filter(({ firstId }) => firstId > batch.afterId)
  return (before ? [before, ...within] : within).map(({ name }) => name)
}

/** What one file holds of the range; undefined where that is nothing, or where the file is not of this source. */
async function heldBy(question: Question, name: string, onId?: (id: bigint) => void): Promise<Held | undefined> {
  const { path, batch } = question
  const metadata = await readMetadata(join(path, name))
  if (metadata === undefined || endsBefore(metadata, batch)) return undefined
  const { 'archiver.table': table = batch.table } = metadata
  if (table !== batch.table) return undefined
  try {
    return await matchRows(question, name, metadata, onId)
  } catch (thrown) {
    if (isUnreadable(thrown)) return undefined
    throw thrown
  }
}

function endsBefore(metadata: Readonly<Record<string, string>>, { afterId }: PlannedBatch): boolean {
  return namesABatch(metadata) && BigInt(metadata['archiver.up_to'] ?? afterId) <= afterId
}

async function matchRows(
  question: Question,
  name: string,
  metadata: Readonly<Record<string, string>>,
  onId?: (id: bigint) => void,
): Promise<Held | undefined> {
  const { batch, permit } = question
  const path = join(question.path, name)
  await using file = new RowCursor(readLogScores(path))
  await using source = new RowCursor(question.source())
  let rows = 0
  let firstId = 0n
  let lastId = 0n
  while (await file.next()) {
    if (file.rows % 10_000 === 1) permit.check()
    const id = file.id
    if (id <= batch.afterId) continue
    if (id > batch.upToId) {
      if (!namesABatch(metadata)) throw contradiction(question, `${name} goes on beyond the batch, with row ${id}`)
      break
    }
    const column = (await seek(source, id)) ? differingColumn(source, file) : 'id'
    if (column) {
      if (rows === 0 && !isOfBatch(metadata, batch) && anotherRow.has(column)) return undefined
      throw contradiction(question, mismatchText(name, id, column, batch))
    }
    if (rows++ === 0) firstId = id
    lastId = id
    onId?.(id)
  }
  if (rows === 0) return undefined
  while (await source.next());
  return { name, bytes: (await stat(path)).size, rows, firstId, lastId, sourceRows: source.rows }
}

/** A first row that differs in one of these is another row: the file belongs to another installation. */
const anotherRow: ReadonlySet<string> = new Set(['id', 'server_id', 'ts'])

/** Moves the source on to the row of this id; false where there is none. */
async function seek(source: RowCursor, id: bigint): Promise<boolean> {
  while (source.rows === 0 || source.id < id) if (!(await source.next())) return false
  return source.id === id
}

function mismatchText(name: string, id: bigint, column: string, { table }: PlannedBatch): string {
  if (column === 'id') return `${name} holds row ${id}, which ${table} does not have`
  return `${name} and ${table} differ at row ${id}, column ${column}`
}

function contradiction({ path, batch }: Question, what: string): ArchiverError {
  const { archiver, table, afterId, upToId } = batch
  return new ArchiverError(`${path}: ${what} (batch ${batch.id}, ids above ${afterId}, up to ${upToId})`, {
    code: 'AVRO_ARCHIVE_CONTRADICTS',
    hint: 'Compare the file with the table. If the file is right, set the mark to its last row; if not, move it away.',
    archiver,
    table,
    afterId,
    upToId,
  })
}
