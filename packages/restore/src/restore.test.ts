import { readFile } from 'node:fs/promises'
import { chunksFromRows, type LogScore, rowsFromChunk } from '@archiver/core'
import { MySqlRestoreTarget, type MySqlSettings, MySqlSource } from '@archiver/mysql'
import {
  addPoolTables,
  createDatabase,
  createSourceTables,
  dropPoolTables,
  insertRows,
  type MySqlDatabase,
  type SourceRow,
} from '@archiver/testkit'
import { describeWithOwnMySql } from '@archiver/testkit/vitest'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { type RestoreOptions, restore } from './restore.js'

const doubles = [0.1, -1 / 3, 5e-324, 1.7976931348623157e308, -123_456_789_012.345_67, 1e21, 1e-7]
const texts = [
  null,
  '',
  '{"leap":0}',
  `{"error":"it's \\\\ \\"quoted\\"", "x":1}`,
  '{\n\t"leap":\r2}',
  '{"error":"時計 🕰️ \\u0000"}',
]

/** Rows as an archive that loses nothing gives them back, with ids at the edges. */
function rowsOf(count: number, firstId = 1n): LogScore[] {
  return Array.from({ length: count }, (_, i) => ({
    id: firstId + BigInt(i),
    monitorId: i % 3 === 0 ? null : 4_294_967_295 - i,
    serverId: 1 + (i % 7),
    tsSeconds: 1_793_491_200 + i * 3_601,
    score: doubles[i % doubles.length]!,
    step: doubles[(i + 1) % doubles.length]!,
    offset: i % 4 === 0 ? null : doubles[(i + 2) % doubles.length]!,
    rtt: i % 5 === 0 ? null : i % 2 === 0 ? -8_388_608 : 8_388_607,
    ...meaningOf(texts[i % texts.length]!),
  }))
}

function meaningOf(json: string | null) {
  const { leap, error = null } = JSON.parse(json || '{}') as { leap?: number; error?: string } // one of the texts above
  return { leap: leap || null, error, warning: null, json }
}

const edges = [2n ** 32n - 1n, 2n ** 32n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 64n - 1n].flatMap((id) => rowsOf(1, id))

/** A line of testing/producer-rows.tsv, where NULL is spelled out. */
function sourceRowOf(line: string): SourceRow {
  const [id, monitor, server, ts, score, step, offset, rtt, attributes] = line.split('\t')
  const number = (text = '') => (text === 'NULL' ? null : Number(text))
  return {
    ...{ id: BigInt(id!), monitorId: number(monitor), serverId: Number(server), tsSeconds: Number(ts) },
    ...{ score: Number(score), step: Number(step), offset: number(offset), rtt: number(rtt) },
    attributes: attributes === 'NULL' ? null : attributes!,
  }
}

/** An archive in memory. */
function readerOf(rows: readonly LogScore[], exact = true) {
  return {
    async *read() {
      for await (const chunk of chunksFromRows(rows, 3_000)) yield exact ? { ...chunk, exact } : chunk
    },
  }
}

await describeWithOwnMySql('into a table', (server) => {
  let database: MySqlDatabase
  let connection: Connection
  beforeAll(async () => {
    database = await createDatabase(server)
    connection = await database.connect()
  })
  beforeEach(async () => {
    await connection.query('drop table if exists log_scores_archive_status')
    await connection.query('drop table if exists log_scores')
    await createSourceTables(connection)
  })
  afterAll(async () => {
    connection.destroy()
  })

  const open = () => {
    const settings: MySqlSettings = database.address
    return MySqlRestoreTarget.open({ settings, table: 'log_scores', like: 'log_scores', retentionDays: 36_500 })
  }

  async function bringBack(rows: readonly LogScore[], change: Partial<RestoreOptions> = {}) {
    await using target = await open()
    const { signal } = new AbortController()
    const range = { afterId: 0n, upToId: 2n ** 64n - 1n }
    return await restore({ reader: readerOf(rows), table: 't', target, range, signal, ...change })
  }

  async function held(): Promise<LogScore[]> {
    await using target = await open()
    const rows: LogScore[] = []
    for await (const chunk of target.source.read({ afterId: 0n, upToId: 2n ** 64n - 1n })) {
      rows.push(...rowsFromChunk(chunk))
    }
    return rows
  }

  describe.each([1, 0])('local_infile=%i', (allowed) => {
    beforeAll(() => connection.query(`set global local_infile = ${allowed}`))

    test('rows of servers and monitors that are not there are refused, and these are named', async () => {
      const rows = rowsOf(60).map((row, i) => ({
        ...row,
        serverId: 1 + (i % 20),
        monitorId: i % 7 === 0 ? null : 1 + (i % 3),
      }))
      await addPoolTables(connection, { prefix: 'pool_', servers: 6, monitors: [1, 2] })
      onTestFinished(() => dropPoolTables(connection, { prefix: 'pool_' }))
      await expect(bringBack(rows)).rejects.toMatchObject({
        code: 'RESTORE_REFUSED',
        message: expect.stringMatching(
          /server_id 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 and 4 more are not in .*pool_servers.*; monitor_id 3 is not in .*pool_monitors/,
        ),
      })
      expect(await held()).toEqual([])
      const there = rows.filter(({ serverId, monitorId }) => serverId <= 6 && monitorId !== 3)
      expect(await bringBack(there)).toMatchObject({ restored: there.length })
    })

    test('every value comes back letter by letter, bit by bit', async () => {
      const rows = [...rowsOf(25_000), ...edges]
      expect(await bringBack(rows)).toMatchObject({
        rows: rows.length,
        restored: rows.length,
        different: 0,
        rounded: 0,
      })
      expect(await held()).toEqual(rows)
      expect(await bringBack(rows)).toMatchObject({ restored: 0, same: rows.length, different: 0 })
    })

    test('what is there is compared, and rows between come back', async () => {
      const rows = rowsOf(25_000)
      await bringBack(rows.filter(({ id }) => id % 3n !== 0n))
      await connection.query('update log_scores set rtt = 5, ts = ts + interval 1 second where id in (7, 20000)')
      const found = await bringBack(rows)
      expect(found).toMatchObject({ restored: 8_333, same: 16_665, different: 2 })
      expect(found.differences.map(({ id, columns }) => [id, columns.map(({ column }) => column)])).toEqual([
        [7n, ['ts', 'rtt']],
        [20_000n, ['ts', 'rtt']],
      ])
      expect(await bringBack(rows, { mostNamed: 1 })).toMatchObject({ different: 2, differences: [{ id: 7n }] })
    })

    test('a row that appears after the look rolls its transaction back', async () => {
      const rows = rowsOf(100)
      await using target = await open()
      const looked = {
        rows: async function* () {},
        encode: target.encode.bind(target),
        write: target.write.bind(target),
      }
      await bringBack(rows.slice(40, 41))
      const again = bringBack(rows, { target: looked })
      await expect(again).rejects.toMatchObject({ code: 'RESTORE_CHANGED', retryable: true })
      expect(await held()).toHaveLength(1)
      expect(await bringBack(rows)).toMatchObject({ restored: 99, same: 1 })
    })
  })

  test('rows that lost something: 0 for no monitor, attributes by their meaning', async () => {
    const [row] = rowsOf(1)
    const { json: _, ...plain } = row!
    const lossy = { ...plain, monitorId: 0, leap: 2, error: 'x' }
    expect(await bringBack([lossy], { reader: readerOf([lossy], false) })).toMatchObject({ restored: 1, rounded: 1 })
    expect(await held()).toMatchObject([{ monitorId: null, json: '{"leap":2,"error":"x"}' }])
  })

  test('producers’ rows come back as they were, but for the keys that no archive keeps', async () => {
    const text = await readFile(new URL('testing/producer-rows.tsv', import.meta.url), 'utf8')
    await connection.query('drop table if exists produced')
    await createSourceTables(connection, { table: 'produced' })
    const producers = text.trimEnd().split('\n').map(sourceRowOf)
    await insertRows(connection, 'produced', producers)
    const archived: LogScore[] = []
    await using source = new MySqlSource({ settings: database.address, table: 'produced' })
    for await (const chunk of source.read({ afterId: 0n, upToId: 2n ** 63n })) archived.push(...rowsFromChunk(chunk))
    expect(await bringBack(archived, { reader: readerOf(archived, false) })).toMatchObject({
      restored: producers.length,
    })
    const kept = ({ attributes }: SourceRow): string | null => {
      const { from_ls_id: _, from_ss_id: __, ...rest } = JSON.parse(attributes ?? '{}') as Record<string, unknown> // the file's
      return Object.keys(rest).length === 0 ? null : JSON.stringify(rest)
    }
    expect((await held()).map(({ json }) => json)).toEqual(producers.map(kept))
  })

  test('rows out of order are refused, those before them stay', async () => {
    const rows = rowsOf(20)
    const disorder = {
      ...readerOf([]),
      read: async function* () {
        for (const part of [rows.slice(0, 12), rows.slice(5, 8)]) yield* chunksFromRows(part)
      },
    }
    await expect(bringBack(rows, { reader: disorder })).rejects.toMatchObject({ code: 'RESTORE_ORDER' })
  })

  test('a server that goes away: named, retryable, whole transactions stay, and the next run goes on', async () => {
    const rows = rowsOf(60_000)
    let killed = false
    const onProgress = () => {
      if (killed) return
      killed = true
      void server.process.kill('SIGKILL')
    }
    const broken = bringBack(rows, { onProgress })
    await expect(broken).rejects.toMatchObject({ retryable: true, code: expect.stringMatching(/^MYSQL_/) })
    await server.process.restart()
    connection = await database.connect()
    const [[row]] = await connection.query<RowDataPacket[]>('select count(*) as total from log_scores')
    expect(Number(row?.total) % 10_000).toBe(0)
    expect(Number(row?.total)).toBeLessThan(60_000)
    expect(await bringBack(rows)).toMatchObject({ rows: 60_000, different: 0 })
    expect(await held()).toEqual(rows)
  })
})
