import type { Pool, RowDataPacket } from 'mysql2'
import type { IdRange, RangeDigest } from '../archive-reader.js'
import { connectPool } from './connect.js'
import { statementError } from './mysql-errors.js'
import type { MySqlSourceOptions } from './source.js'
import { quoteName } from './tables.js'

/** Sums of so many numbers of this size are exact as doubles, which servers add much faster than decimals. */
const EXACT_IDS = 2n ** 26n

/** Seconds from the year 0 to 1970, as `to_seconds` counts; exact for every datetime, in any session. */
const TS = 'to_seconds(ts) - 62167219200'

/** As archive-reader.ts words it; the inner remainder keeps ids of any size within 64 bits. */
const HASH = `(id % 2147483647 + server_id * 1000003 + (${TS}) * 8191) % 2147483647 * 2654435761`

/** Questions about ranges of a table's ids that the server answers by itself, over connections of their own. */
export class MySqlRanges implements AsyncDisposable {
  private readonly pool: Pool
  private readonly table: string
  private readonly quoted: string

  constructor({ settings, table, encrypted }: Omit<MySqlSourceOptions, 'pageRows' | 'exactAttributes'>) {
    this.pool = connectPool(settings, encrypted ?? (settings.tls?.mode ?? 'false') !== 'false')
    this.table = table
    this.quoted = quoteName(table)
  }

  /**
   * The digest of a range, in one statement over the primary key.
   *
   * @param without - ids that do not count.
   */
  async digest(range: IdRange, without: readonly bigint[] = []): Promise<RangeDigest> {
    const { afterId, upToId } = range
    const narrow = upToId - afterId <= EXACT_IDS
    const sum = narrow ? `sum((id - ${afterId}) * 1e0)` : 'sum(id)'
    const left = without.length === 0 ? '' : ` and id not in (${without.join(', ')})`
    const where = `id > ${afterId} and id <= ${upToId}${left}`
    const row = await this.row(`select count(*), ${sum}, bit_xor(${HASH}) from ${this.quoted} where ${where}`)
    const [rows, ids, hashXor] = [toBigInt(row?.[0]), toBigInt(row?.[1]), toBigInt(row?.[2])]
    return { rows, idSum: BigInt.asUintN(64, narrow ? ids + rows * afterId : ids), hashXor }
  }

  /**
   * The lowest id of the rows measured within an hour from this time on, or from the first row after it on: ids rise with
   * time, but for some seconds. Null where there is no row. By the index on `ts`.
   */
  idFrom(tsSeconds: number): Promise<bigint | null> {
    const first = this.endOf('min', `ts >= ${timeOf(tsSeconds)}`)
    return this.id('min', `ts >= ${first} and ts < ${first} + interval 1 hour`)
  }

  /** The highest id of the rows measured within an hour up to this time, or up to the last row before it; else likewise. */
  idUpTo(tsSeconds: number): Promise<bigint | null> {
    const last = this.endOf('max', `ts <= ${timeOf(tsSeconds)}`)
    return this.id('max', `ts <= ${last} and ts > ${last} - interval 1 hour`)
  }

  /** The times of the oldest and the newest measurement, in seconds since 1970 UTC; null for a table without rows. */
  async times(): Promise<{ readonly firstTsSeconds: number; readonly lastTsSeconds: number } | null> {
    const seconds = (end: 'min' | 'max') => `to_seconds(${end}(ts)) - 62167219200`
    // A zero date has no seconds.
    const where = "ts >= timestamp'0001-01-01 00:00:00'"
    const row = await this.row(`select ${seconds('min')}, ${seconds('max')} from ${this.quoted} where ${where}`)
    if (row?.[0] == null) return null
    return { firstTsSeconds: Number(row[0]), lastTsSeconds: Number(row[1]) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pool.promise().end()
  }

  private endOf(end: 'min' | 'max', condition: string): string {
    return `(select ${end}(ts) from ${this.quoted} where ${condition})`
  }

  private async id(end: 'min' | 'max', condition: string): Promise<bigint | null> {
    const row = await this.row(`select ${end}(id) from ${this.quoted} where ${condition}`)
    return row?.[0] == null ? null : toBigInt(row[0])
  }

  private row(sql: string): Promise<unknown[] | undefined> {
    return new Promise((resolve, reject) =>
      this.pool.query<RowDataPacket[][]>({ sql, rowsAsArray: true }, (error, rows) =>
        error ? reject(statementError(error, `asking table ${this.table}`, { table: this.table })) : resolve(rows[0]),
      ),
    )
  }
}

/** Not `from_unixtime(0)`, which MariaDB 11 answers with NULL. */
function timeOf(tsSeconds: number): string {
  return `timestamp'1970-01-01 00:00:00' + interval ${tsSeconds} second`
}

/** A number of the driver's: a text beyond 2^53-1 and for decimals, null for a sum of nothing. */
function toBigInt(value: unknown): bigint {
  return BigInt((value ?? 0) as number | string)
}
