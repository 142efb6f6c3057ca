import type { IdRange, RangeDigest } from '@archiver/core'
import { type RawBuilder, sql } from 'kysely'

/** An id, a count or a sum as mysql2 gives it: a string where it is large, or a decimal. */
type Whole = number | string | null

/** What {@link digestColumns} selects. */
export interface DigestRow {
  readonly row_count: Whole
  readonly id_sum: Whole
  readonly hash_xor: Whole
}

/** Seconds since 1970; TO_SECONDS is exact for every datetime. */
const TS_SECONDS = 'to_seconds(ts) - 62167219200'

/** Times that an archive can hold: 1970-01-01 to 2106-02-07. NULL for none at all. */
const POSSIBLE = "(ts >= '1970-01-01' and ts < '2106-02-07 06:28:16')"

/** Rows whose time no archive can hold: they never were stored, whatever the marks say. */
export const ODD = sql.raw(`not coalesce(${POSSIBLE}, false)`)

/** The columns of `RangeDigest`, computed by the server; an inner remainder keeps ids of any size within 64 bits. */
export const digestColumns = sql.raw(
  `count(*) as row_count, sum(id) as id_sum, bit_xor(if(${POSSIBLE}, ` +
    `(id % 2147483647 + server_id * 1000003 + (${TS_SECONDS}) * 8191) % 2147483647 * 2654435761, null)) as hash_xor`,
)

export function toDigest({ row_count, id_sum, hash_xor }: DigestRow): RangeDigest {
  return { rows: whole(row_count), idSum: BigInt.asUintN(64, whole(id_sum)), hashXor: whole(hash_xor) }
}

/** NULL, the sum of nothing, is 0. */
export function whole(value: Whole): bigint {
  return BigInt(value ?? 0)
}

/** Rows that are old enough by the cutoff of the run, and no odd ones. */
export function isOld(cutoff: string): RawBuilder<boolean> {
  return sql`(ts >= '1970-01-01' and ts < ${cutoff})`
}

/** Rows that will be old enough within a day. */
export function isSoon(cutoff: string): RawBuilder<boolean> {
  return sql`(ts >= ${cutoff} and ts < ${cutoff} + interval 1 day)`
}

export function inRange({ afterId, upToId }: IdRange): RawBuilder<boolean> {
  return sql`id > ${afterId} and id <= ${upToId}`
}
