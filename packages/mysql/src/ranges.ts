import type { IdRange, TimeSpan } from '@archiver/core'
import type { SourceDigest } from '@archiver/core/reconcile'
import type { RowDataPacket } from 'mysql2'
import { statementError } from './mysql-errors.js'
import { ConnectionPool } from './pool.js'
import { DAY, FIRST_AND_LAST_TIME, rowTimes } from './row-times.js'
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
  private readonly pool: ConnectionPool
  private readonly table: string
  private readonly quoted: string

  constructor({ settings, table, encrypted }: Omit<MySqlSourceOptions, 'pageRows' | 'exactAttributes'>) {
    this.pool = new ConnectionPool(settings, encrypted ?? (settings.tls?.mode ?? 'false') !== 'false')
    this.table = table
    this.quoted = quoteName(table)
  }

  /**
   * The digest of a range, in one statement over the primary key; another where some of its rows are of other
   * days than the rest, or where some do not count.
   *
   * @param without - ids that do not count.
   */
  async digest(range: IdRange, without: readonly bigint[] = []): Promise<SourceDigest> {
    const { afterId, upToId } = range
    const narrow = upToId - afterId <= EXACT_IDS
    const sum = narrow ? `sum((id - ${afterId}) * 1e0)` : 'sum(id)'
    const left = without.length === 0 ? '' : ` and id not in (${without.join(', ')})`
    const inRange = `id > ${afterId} and id <= ${upToId}`
    const columns = `count(*), ${sum}, bit_xor(${HASH}), ${FIRST_AND_LAST_TIME}`
    const row = await this.row(`select ${columns} from ${this.quoted} where ${inRange}${left}`)
    const [rows, ids, hashXor] = [toBigInt(row?.[0]), toBigInt(row?.[1]), toBigInt(row?.[2])]
    const times = await this.timesOf(inRange, without.length === 0 ? row : undefined)
    return { rows, idSum: BigInt.asUintN(64, narrow ? ids + rows * afterId : ids), hashXor, times }
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
    await this.pool[Symbol.asyncDispose]()
  }

  /** @param row - of the statement that had {@link FIRST_AND_LAST_TIME} at its end, over the same rows. */
  private async timesOf(where: string, row: unknown[] | undefined): Promise<TimeSpan[]> {
    const rest = `from ${this.quoted} where ${where}`
    const ends = (row ?? (await this.row(`select ${FIRST_AND_LAST_TIME} ${rest}`)) ?? []).slice(-2)
    return rowTimes(ends, async () => (await this.rows(`select distinct ${DAY} ${rest}`)).flat())
  }

  private endOf(end: 'min' | 'max', condition: string): string {
    return `(select ${end}(ts) from ${this.quoted} where ${condition})`
  }

  private async id(end: 'min' | 'max', condition: string): Promise<bigint | null> {
    const row = await this.row(`select ${end}(id) from ${this.quoted} where ${condition}`)
    return row?.[0] == null ? null : toBigInt(row[0])
  }

  private async row(sql: string): Promise<unknown[] | undefined> {
    return (await this.rows(sql))[0]
  }

  private async rows(sql: string): Promise<unknown[][]> {
    const connection = await this.pool.checkOut()
    try {
      return await new Promise((resolve, reject) =>
        connection.query<RowDataPacket[][]>({ sql, rowsAsArray: true }, (error, rows) =>
          error ? reject(error) : resolve(rows),
        ),
      )
    } catch (error) {
      throw statementError(error, `asking table ${this.table}`, { table: this.table })
    } finally {
      this.pool.giveBack(connection, true)
    }
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
