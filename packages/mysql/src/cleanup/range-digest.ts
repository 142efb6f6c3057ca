import type { IdRange } from '@archiver/core'
import type { SourceDigest } from '@archiver/core/reconcile'
import { DAY, FIRST_AND_LAST_TIME, rowTimes } from '@archiver/mysql'
import { type RawBuilder, sql } from 'kysely'
import { type DigestRow, digestColumns, inRange, toDigest } from './statements.js'

/** Columns by name, in the order of the select list. */
type Row = Readonly<Record<string, unknown>>

/** Runs a statement; `doing` is for its error. */
export type Select = (statement: RawBuilder<Row>, doing: string) => Promise<readonly Row[]>

/**
 * What the source has in a range, and when those rows were measured.
 *
 * @param without - ids that do not count; the times are of all rows.
 */
export async function rangeDigest(
  select: Select,
  table: RawBuilder<unknown>,
  range: IdRange,
  without: readonly bigint[],
): Promise<SourceDigest> {
  const from = sql`from ${table} force index (primary) where ${inRange(range)}`
  const ask = async (columns: RawBuilder<unknown>, left = sql``): Promise<readonly Row[]> =>
    select(sql<Row>`select ${columns} ${from} ${left}`, 'summing up a range')
  const ends = sql.raw(FIRST_AND_LAST_TIME)
  const left = without.length === 0 ? sql`` : sql`and id not in (${sql.join(without)})`
  const [sums = {}] = await ask(sql`${digestColumns}, ${ends}`, left)
  const [all = {}] = without.length === 0 ? [sums] : await ask(ends)
  const days = async () => (await ask(sql.raw(`distinct ${DAY}`))).flatMap((row) => Object.values(row))
  // Of the columns of digestColumns.
  const digest = toDigest(sums as unknown as DigestRow)
  return { ...digest, times: await rowTimes(Object.values(all).slice(-2), days) }
}
