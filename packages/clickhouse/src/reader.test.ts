import type { IncomingMessage, ServerResponse } from 'node:http'
import { describeReader, ordinaryRows } from '@archiver/conformance'
import { type ArchiveReader, chunksFromRows, leaseUntil, rowsFromChunk, type ScanQuery } from '@archiver/core'
import { describeWithClickHouse } from '@archiver/testkit/vitest'
import { describe, expect, it } from 'vitest'
import { createClickHouseArchiver } from './archiver.js'
import { parseClickHouseDsn } from './dsn.js'
import { ClickHouseReader } from './reader.js'
import { Servers } from './servers.js'
import { dsnOf, proxyTo, readTable } from './testing/clickhouse.js'
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
      await archiver.store(batchOf(table, rows), chunksFromRows(rows), leaseUntil())
    },
  })

  describe('the days of a range', () => {
    const signal = new AbortController().signal

    it('are looked up again when a day is dropped or a late row comes into another', async () => {
      await using archiver = open()
      await archiver.prepare('days')
      const rows = plainRows(40, 1n, 1)
      await archiver.store(batchOf('days', rows), chunksFromRows(rows), leaseUntil())
      const { reader } = archiver
      const range = { afterId: 10n, upToId: 12n }
      expect(await reader.digest('days', range, signal)).toMatchObject({ rows: 2n, idSum: 23n })
      await database.query(`ALTER TABLE days DROP PARTITION '${dayOf(rows[10]!.tsSeconds)}'`)
      const later = plainRows(1, 11n).map((row) => ({ ...row, tsSeconds: row.tsSeconds + 90 * 86_400 }))
      await archiver.store(batchOf('days', later, 2n), chunksFromRows(later), leaseUntil())
      expect(await reader.digest('days', range, signal)).toMatchObject({ rows: 2n, idSum: 23n })
      await database.query(`ALTER TABLE days DROP PARTITION '${dayOf(later[0]!.tsSeconds)}'`)
      expect(await reader.digest('days', range, signal)).toMatchObject({ rows: 1n, idSum: 12n })
    })
  })

  it('rows of more than one statement come in order, each as often as it is there', async () => {
    const rows = ordinaryRows(120).flatMap((row, i) => {
      const one = { ...row, id: BigInt(1 + i * 3), serverId: 1 + (i % 3), tsSeconds: row.tsSeconds + i * 3_600 }
      // Doubled where a statement ends, and elsewhere.
      return i % 21 === 18 || i === 30 ? [one, one] : [one]
    })
    await using archiver = open()
    await archiver.prepare('slices')
    for (const id of [1n, 2n]) {
      const some = rows.filter((row, i) => (row === rows[i - 1] ? id === 2n : id === 1n))
      await archiver.store(batchOf('slices', some, id), chunksFromRows(some), leaseUntil())
    }
    const target = parseClickHouseDsn(dsnOf(database))
    if (target.kind !== 'servers') throw new Error('no server')
    const servers = new Servers(target, 'ch_dsn', 0)
    Object.assign(await servers.reach(), { maxReadIds: 7n })
    const reader = new ClickHouseReader(servers, 'ch_dsn')
    for (const query of [
      {},
      { serverId: 1 },
      { serverId: 1, limit: 20 },
      { limit: 40 },
      { serverId: 1, monitorId: 4 },
    ]) {
      const { serverId, monitorId, limit } = query as Partial<ScanQuery> // one type for all of them
      const wanted = rows.filter(
        (row) => row.serverId === (serverId ?? row.serverId) && row.monitorId === (monitorId ?? row.monitorId),
      )
      const ids: bigint[] = []
      const everything = { afterId: 0n, upToId: 2n ** 64n - 1n }
      for await (const chunk of reader.scan('slices', { ...everything, ...query }, new AbortController().signal)) {
        ids.push(...chunk.id.subarray(0, chunk.rows))
      }
      expect(ids).toEqual(wanted.slice(0, limit).map(({ id }) => id))
    }
    await servers.close()
  })

  describe('what is wrong is named, and no row is made up', () => {
    const { signal } = new AbortController()
    const everything = { afterId: 0n, upToId: 2n ** 64n - 1n }

    async function readAll(reader: ArchiveReader, table: string, query: ScanQuery): Promise<bigint[]> {
      const ids: bigint[] = []
      for await (const chunk of reader.scan(table, query, signal)) ids.push(...chunk.id.subarray(0, chunk.rows))
      return ids
    }

    it.each([{}, { serverId: 7 }, { limit: 5 }])('a table without the columns: %j', async (wanted) => {
      await database.query('DROP TABLE IF EXISTS narrow')
      await database.query('CREATE TABLE narrow (id UInt64, dt Date) ENGINE = MergeTree PARTITION BY dt ORDER BY id')
      await database.query("INSERT INTO narrow VALUES (1, '2026-11-01')")
      await using archiver = open()
      const reading = readAll(archiver.reader, 'narrow', { ...everything, ...wanted })
      await expect(reading).rejects.toMatchObject({ code: 'CLICKHOUSE_REFUSED', message: /(monitor|server)_id/ })
    })

    it('a server that goes away in the middle of an answer', async () => {
      const rows = plainRows(5_000)
      await using archiver = open()
      await archiver.prepare('gone')
      await archiver.store(batchOf('gone', rows), chunksFromRows(rows), leaseUntil())
      /** Passes small answers on; of a large one the beginning. */
      const cut = (answer: IncomingMessage, response: ServerResponse) => {
        answer.once('end', () => response.end())
        answer.on('data', (piece: Buffer) => {
          if (piece.length < 2_000) response.write(piece)
          else response.write(piece.subarray(0, 1_000), () => response.destroy())
        })
      }
      await using proxy = await proxyTo(database, (_, response) => response.end(), cut)
      const dsn = `tcp://127.0.0.1/${database.name}?http_port=${proxy.port}`
      await using cutOff = createClickHouseArchiver({ dsn })
      const reading = readAll(cutOff.reader, 'gone', { ...everything, serverId: rows[0]!.serverId })
      await expect(reading).rejects.toMatchObject({
        code: 'CLICKHOUSE_UNREACHABLE',
        message: /cannot read the archive/,
      })
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
    await archiver.store(batchOf('zoned', rows), chunksFromRows(rows), leaseUntil())
    const read = []
    const signal = new AbortController().signal
    for await (const chunk of archiver.reader.read('zoned', { afterId: 0n, upToId: 99n }, signal)) {
      read.push(...rowsFromChunk(chunk))
    }
    expect(read).toEqual(rows.map(convert))
  })
})

function dayOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10)
}
