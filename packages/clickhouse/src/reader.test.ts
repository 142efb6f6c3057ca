import { describeReader } from '@archiver/conformance'
import { chunksFromRows, permitUntil, rowsFromChunk } from '@archiver/core'
import { describeWithClickHouse } from '@archiver/testkit/vitest'
import { describe, expect, it } from 'vitest'
import { createClickHouseArchiver } from './archiver.js'
import { dsnOf, readTable } from './testing/clickhouse.js'
import { convert } from './testing/read-back.js'
import { batchOf, plainRows } from './testing/rows.js'

await describeWithClickHouse('a ClickHouse server', (database) => {
  const open = () => createClickHouseArchiver({ dsn: dsnOf(database), takeoverWaitMs: 20 })

  describeReader('clickhouse', {
    open: async () => open(),
    read: (table) => readTable(database, table),
    convert,
    async tamper(table, edit) {
      const rows = (await readTable(database, table)).flatMap(edit)
      await database.query(`TRUNCATE TABLE ${table}`)
      await using archiver = open()
      await archiver.store(batchOf(table, rows), chunksFromRows(rows), permitUntil())
    },
  })

  describe('the days of a range', () => {
    const signal = new AbortController().signal

    it('are looked up again when a day is dropped or a late row comes into another', async () => {
      await using archiver = open()
      await archiver.prepare('days')
      const rows = plainRows(40, 1n, 1)
      await archiver.store(batchOf('days', rows), chunksFromRows(rows), permitUntil())
      const { reader } = archiver
      const range = { afterId: 10n, upToId: 12n }
      expect(await reader!.digest('days', range, signal)).toMatchObject({ rows: 2n, idSum: 23n })
      await database.query(`ALTER TABLE days DROP PARTITION '${dayOf(rows[10]!.tsSeconds)}'`)
      const later = plainRows(1, 11n).map((row) => ({ ...row, tsSeconds: row.tsSeconds + 90 * 86_400 }))
      await archiver.store(batchOf('days', later, 2n), chunksFromRows(later), permitUntil())
      expect(await reader!.digest('days', range, signal)).toMatchObject({ rows: 2n, idSum: 23n })
      await database.query(`ALTER TABLE days DROP PARTITION '${dayOf(later[0]!.tsSeconds)}'`)
      expect(await reader!.digest('days', range, signal)).toMatchObject({ rows: 1n, idSum: 12n })
    })
  })

  it('a table with a time zone is read the same', async () => {
    const rows = plainRows(20).map((row, i) => ({ ...row, error: i % 3 ? 'i/o timeout' : null, warning: 'odd' }))
    await database.query(
      `CREATE TABLE zoned (dt Date, id UInt64, monitor_id UInt32, server_id UInt32, ts DateTime('America/New_York'),
        score Float32, step Float32, offset Nullable(Float64), rtt Nullable(UInt32), leap Nullable(UInt8),
        warning Nullable(String), error Nullable(String)) ENGINE = MergeTree PARTITION BY dt ORDER BY (server_id, ts)`,
    )
    await using archiver = open()
    await archiver.prepare('zoned')
    await archiver.store(batchOf('zoned', rows), chunksFromRows(rows), permitUntil())
    const read = []
    const signal = new AbortController().signal
    for await (const chunk of archiver.reader!.read('zoned', { afterId: 0n, upToId: 99n }, signal)) {
      read.push(...rowsFromChunk(chunk))
    }
    expect(read).toEqual(rows.map(convert))
  })
})

function dayOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10)
}
