import { createHash } from 'node:crypto'
import type { Connection, RowDataPacket } from 'mysql2/promise'

interface Entry {
  readonly state: string
  readonly afterId: bigint
  readonly upToId: bigint
  readonly firstId: bigint
  readonly lastId: bigint | null
  readonly rows: number | null
  readonly hash: string | undefined
  /** When the batch was filed: microseconds since 1970. */
  readonly doneOnUs: bigint
}

/** When rows were deleted from the source, by id: microseconds since 1970. */
export type DeletionTimes = ReadonlyMap<bigint, bigint>

/** The rows that a catalogue is held against. */
export interface CatalogueRows {
  /** Of all rows of the source, ascending, those that were deleted included. */
  readonly ids: readonly bigint[]
  readonly deletions?: DeletionTimes
  /** Whether a row need not be in a batch. */
  readonly mayLack?: (id: bigint) => boolean
}

/** What is wrong with an archiver's entries in `T_archive_batch`, and the rows that its finished batches count. */
export interface Catalogue {
  readonly problems: readonly string[]
  readonly filed: ReadonlySet<bigint>
}

/**
 * Every row must be in exactly one finished batch, and count, first and last id and the hash over the ids must be those of
 * its rows. A row within the ranges of several is the last one's: late rows have a batch of their own within the range of an
 * older one, which must not count them. Rows that were looked up again after some of their batch had been deleted are in
 * two, the older of which counts all of its range. A late batch over a range of which earlier late batches were deleted
 * counts what is not theirs. A batch counts the rows that the source still had when it was read: see {@link asRead}.
 */
export async function catalogueOf(
  connection: Connection,
  table: string,
  archiver: string,
  { ids, deletions = new Map(), mayLack = () => false }: CatalogueRows,
): Promise<Catalogue> {
  const entries = await entriesOf(connection, table, archiver)
  const done = entries.filter(({ state }) => state === 'done')
  const rows = Map.groupBy(ids, (id) => done.findLast(({ afterId, upToId }) => id > afterId && id <= upToId))
  const filed = new Set<bigint>()
  const problems = entries.flatMap((entry) => {
    const own = rows.get(entry) ?? []
    const all = ids.filter((id) => id > entry.afterId && id <= entry.upToId)
    const later = all.filter((id) => !isInNarrower(done, entry, id))
    const counted = readBy(entry, [own, all, later], deletions)
    for (const id of counted ?? []) if (entry.state === 'done') filed.add(id)
    return counted === undefined ? entryProblems(entry, own) : []
  })
  for (const id of rows.get(undefined) ?? []) {
    if (!mayLack(id)) problems.push(`row ${id} is in no finished batch`)
  }
  return { problems: problems.slice(0, 9), filed }
}

/** Which of these rows the entry counts, where it is right; undefined where it is not. */
function readBy(entry: Entry, choices: readonly bigint[][], deletions: DeletionTimes): bigint[] | undefined {
  for (const ids of choices) {
    for (const some of asRead(ids, deletions, entry.doneOnUs)) {
      if (entryProblems(entry, some).length === 0) return some
    }
  }
  return undefined
}

/**
 * What a batch may have read of these rows, by when they were deleted: all; or none of those that went before some deletion,
 * and any of the rows that went with that deletion, since pages are read at several times.
 */
function* asRead(ids: readonly bigint[], deletions: DeletionTimes, doneOnUs: bigint): Generator<bigint[]> {
  yield [...ids]
  const times = new Set(ids.flatMap((id) => deletions.get(id) ?? []))
  for (const time of [...times].filter((time) => time <= doneOnUs)) {
    const left = ids.filter((id) => (deletions.get(id) ?? doneOnUs + 1n) > time)
    for (const some of subsets(ids.filter((id) => deletions.get(id) === time)))
      yield [...left, ...some].sort(compareIds)
  }
}

/** @param ids - a server has few rows in a batch. */
function* subsets(ids: readonly bigint[]): Generator<bigint[]> {
  for (let bits = 0; bits < 2 ** Math.min(ids.length, 14); bits++) yield ids.filter((_, i) => ((bits >> i) & 1) === 1)
}

function compareIds(a: bigint, b: bigint): number {
  return a < b ? -1 : 1
}

/** Whether the row is in an earlier batch whose range lies within that of the entry. */
function isInNarrower(done: readonly Entry[], entry: Entry, id: bigint): boolean {
  const earlier = done.slice(0, done.indexOf(entry))
  return earlier.some(
    ({ afterId, upToId }) => id > afterId && id <= upToId && afterId >= entry.afterId && upToId <= entry.upToId,
  )
}

function entryProblems(
  { state, afterId, upToId, firstId, lastId, rows, hash }: Entry,
  ids: readonly bigint[],
): string[] {
  const name = `${state} batch of ids above ${afterId}, up to ${upToId}`
  if (state === 'planned') return [`${name}: left over`]
  if (state !== 'done') return []
  if (ids.length !== rows) return [`${name}: has ${ids.length} rows, ${rows} on record`]
  if (ids[0] !== firstId || ids.at(-1) !== lastId) return [`${name}: first or last id is wrong`]
  return hash === hashOf(ids) ? [] : [`${name}: the hash over its ids is wrong`]
}

function hashOf(ids: readonly bigint[]): string {
  return createHash('sha256')
    .update(new Uint8Array(BigUint64Array.from(ids).buffer))
    .digest('hex')
}

async function entriesOf(connection: Connection, table: string, archiver: string): Promise<Entry[]> {
  const sql = `select *, round(unix_timestamp(done_on) * 1000000) as done_on_us
    from \`${table}_archive_batch\` where archiver = ? order by id`
  const [rows] = await connection.query<RowDataPacket[]>(sql, [archiver])
  return rows.map((row) => ({
    state: row.state,
    afterId: BigInt(row.after_id),
    upToId: BigInt(row.up_to_id),
    firstId: BigInt(row.first_id),
    lastId: row.last_id === null ? null : BigInt(row.last_id),
    rows: row.row_count,
    hash: row.id_hash?.toString('hex'),
    doneOnUs: BigInt(row.done_on_us ?? 0),
  }))
}
