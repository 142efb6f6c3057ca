import {
  ArchiverError,
  CLEANUP,
  type DeletionOutcome,
  equalDigests,
  faultPoint,
  type IdRange,
  RANGE_IDS,
  type RangeDeletion,
  type Slice,
} from '@archiver/core'
import { type RawBuilder, sql, type Transaction } from 'kysely'
import type { ControlTables } from '../tables.js'
import { findRefused, isRefusal } from './find-refused.js'
import { deleteTriggers } from './references.js'
import { type DigestRow, digestColumns, inRange, toDigest, whole } from './statements.js'
import type { DeletableTable } from './table-statements.js'

interface Deletion<B> extends RangeDeletion<B> {
  readonly table: DeletableTable
}

/**
 * See `CleanupSource.deleteSlice`. The status rows are read `for share` first, at REPEATABLE READ: until the commit no mark
 * can be moved and no archiver added. The rows are locked and summed up again, so that a row which appeared after the
 * archives were asked is found. What was decided stands in the statement's own conditions too, and the number of rows deleted
 * must be the number expected: otherwise nothing is deleted.
 */
export async function deleteSlice<B>(
  table: DeletableTable,
  slice: Slice,
  options: RangeDeletion<B>,
): Promise<DeletionOutcome<B>> {
  const deletion = { ...options, table }
  await faultPoint('cleanup.before')
  deletion.lease.assertHeld()
  try {
    const outcome = await table.try('deleting rows', async () => {
      const lock = await lockClause(table)
      return table.db
        .transaction()
        .setIsolationLevel('repeatable read')
        .execute((transaction) => deleteLocked({ ...deletion, transaction, lock }, slice))
    })
    await faultPoint('cleanup.after')
    return outcome
  } catch (error) {
    if (!isRefusal(error)) throw error
    return refusedRow(deletion, slice)
  }
}

/** Names the row that a foreign key or a trigger does not let go. Where there is none any more, the range is looked at again. */
async function refusedRow<B>(deletion: Deletion<B>, slice: Slice): Promise<DeletionOutcome<B>> {
  const { table, lease } = deletion
  lease.assertHeld()
  await table.lookForReferences()
  const lock = await lockClause(table)
  const found = await rolledBack(table, (transaction) =>
    findRefused(slice, (part) =>
      table.try('deleting rows', () => deleteRows({ ...deletion, transaction, lock }, part)),
    ),
  )
  if (found === null) return { kind: 'changed' }
  const triggers = await deleteTriggers(table)
  return { kind: 'refused', ...found, triggers }
}

/** Ends a transaction by rolling it back. */
class RolledBack extends Error {}

async function rolledBack<T>(
  table: DeletableTable,
  work: (transaction: Transaction<ControlTables>) => Promise<T>,
): Promise<T> {
  let result: { readonly value: T } | undefined
  try {
    await table.db
      .transaction()
      .setIsolationLevel('repeatable read')
      .execute(async (transaction) => {
        result = { value: await work(transaction) }
        throw new RolledBack()
      })
  } catch (error) {
    if (error instanceof RolledBack && result !== undefined) return result.value
    throw error
  }
  throw new Error('the transaction was not rolled back')
}

interface LockedDeletion<B> extends Deletion<B> {
  readonly transaction: Transaction<ControlTables>
  readonly lock: RawBuilder<unknown>
}

async function deleteLocked<B>(deletion: LockedDeletion<B>, slice: Slice): Promise<DeletionOutcome<B>> {
  const { table, lease, transaction, decide, recordId, lock } = deletion
  const limit = decide(await table.marksIn(transaction, lock))
  if ('blocked' in limit) return { kind: 'blocked', ...limit }
  if (slice.upToId >= limit.belowId) return { kind: 'changed' }
  const held = await lockRows(deletion, slice)
  if (!equalDigests(held.digest, slice.digest) || held.rows !== slice.oldRows || held.rows === 0) {
    return { kind: 'changed' }
  }
  const rows = await deleteRows(deletion, slice)
  if (rows !== held.rows) throw contradiction(table.name, slice, rows, held.rows)
  const record = await table.file(transaction, recordId, held)
  await faultPoint('cleanup.deleted')
  lease.assertHeld()
  return { kind: 'deleted', recordId: record, rows }
}

/** Locks the rows of the range, and sums up what they are. */
async function lockRows<B>({ transaction, table, cutoff }: LockedDeletion<B>, slice: Slice) {
  const old = table.isDeletable(cutoff)
  const { rows } = await sql<LockedRow>`
    select ${digestColumns}, sum(${old}) as old_rows, min(if(${old}, id, null)) as first_id,
      max(if(${old}, id, null)) as last_id
    from ${table.table} force index (primary) where ${inRange(slice)} for update`.execute(transaction)
  const row = rows[0]!
  return {
    digest: toDigest(row),
    rows: Number(row.old_rows ?? 0),
    firstId: whole(row.first_id),
    lastId: whole(row.last_id),
  }
}

/** By ids through the primary key: an order by id with a limit would scan all that is kept, or sort by time. */
async function deleteRows<B>(deletion: LockedDeletion<B>, slice: IdRange): Promise<number> {
  const { transaction, table, cutoff, retentionDays } = deletion
  assertNarrow(table.name, slice)
  const status = sql`${sql.table(table.names.status)} where archiver <> ${CLEANUP}`
  const { numAffectedRows } = await sql`
    delete ${table.table} from ${table.table} force index (primary) where ${inRange(slice)} and ${table.isDeletable(cutoff)}
      and ts < utc_timestamp() - interval ${retentionDays} day
      and id < (select min(log_score_id) from ${status})
      and not exists (select 1 from ${status} and log_score_id is null)`.execute(transaction)
  return Number(numAffectedRows)
}

/** `for share` in words that every server of its kind knows. */
async function lockClause({ db }: DeletableTable): Promise<RawBuilder<unknown>> {
  const { rows } = await sql<{ version: string }>`select version() as version`.execute(db)
  return /mariadb/i.test(rows[0]?.version ?? '') ? sql`lock in share mode` : sql`for share`
}

function assertNarrow(table: string, { afterId, upToId }: IdRange): void {
  if (upToId > afterId && upToId - afterId <= RANGE_IDS) return
  throw new ArchiverError(`a range of ${upToId - afterId} ids is not deleted at once`, {
    code: 'CLEANUP_CONTRADICTION',
    table,
    afterId,
    upToId,
    hint: 'This is a defect of the archiver; nothing was deleted.',
  })
}

function contradiction(table: string, { afterId, upToId }: Slice, rows: number, expected: number): ArchiverError {
  return new ArchiverError(`${rows} rows would be deleted where ${expected} are old enough`, {
    code: 'CLEANUP_CONTRADICTION',
    table,
    afterId,
    upToId,
    hint: 'The range was rolled back. Has the clock of the server been set back? If not, this is a defect.',
  })
}

interface LockedRow extends DigestRow {
  readonly old_rows: number | string | null
  readonly first_id: number | string | null
  readonly last_id: number | string | null
}
