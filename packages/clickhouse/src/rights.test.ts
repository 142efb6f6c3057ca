import {
  batchSourceFrom,
  chunkFromRows,
  chunksFromRows,
  digestOf,
  type LogScore,
  leaseUntil,
  type ReadableArchiver,
} from '@archiver/core'
import { createClickHouseDatabase } from '@archiver/testkit'
import { describeWithOwnClickHouse } from '@archiver/testkit/vitest'
import { afterEach, describe, expect, it } from 'vitest'
import { createClickHouseArchiver } from './archiver.js'
import { NativeEncoder } from './native.js'
import { queryIdOf } from './store.js'
import { columnList } from './table.js'
import { beginInsert, readTable, untilRunning } from './testing/clickhouse.js'
import { denyingProxyTo } from './testing/denying-proxy.js'
import { batchOf, plainRows } from './testing/rows.js'

const user = (name: string, profile: string, databases: string) =>
  `<${name}><password></password><networks><ip>127.0.0.1</ip></networks><profile>${profile}</profile><quota>default</quota>
    <allow_databases>${databases}</allow_databases></${name}>`
const users = {
  profiles: '<reading><readonly>1</readonly></reading>',
  users: ['reader:reading', 'writer:default']
    .map((one) => user(one.split(':')[0]!, one.split(':')[1]!, '<database>default</database>'))
    .join(''),
}

await describeWithOwnClickHouse(
  'with the least rights',
  async (server) => {
    const rows = plainRows(3_000)
    const { signal } = new AbortController()
    const opened: ReadableArchiver[] = []
    afterEach(async () => {
      for (const archiver of opened.splice(0)) await archiver[Symbol.asyncDispose]()
    })

    function open(account: string, database = 'default', port = server.httpPort): ReadableArchiver {
      const dsn = `tcp://${account}@127.0.0.1:9000/${database}?http_port=${port}`
      const archiver = createClickHouseArchiver({ dsn, takeoverWaitMs: 1 })
      opened.push(archiver)
      return archiver
    }
    const stored = (archiver: ReadableArchiver, table: string, some: readonly LogScore[]) =>
      archiver.findStored(
        batchOf(table, some),
        batchSourceFrom(() => chunksFromRows(some, 500)),
        leaseUntil(),
      )
    const store = (archiver: ReadableArchiver, table: string) =>
      archiver.store(batchOf(table, rows), chunksFromRows(rows, 500), leaseUntil())
    const whole = { afterId: 0n, upToId: 2n ** 63n }

    async function expectRead(archiver: ReadableArchiver, table: string): Promise<void> {
      const { reader } = archiver
      expect(await reader.digest(table, whole, signal)).toEqual(await digestOf(chunksFromRows(rows)))
      let read = 0
      for await (const chunk of reader.read(table, whole, signal)) read += chunk.rows
      expect(read).toBe(rows.length)
      read = 0
      for await (const chunk of reader.scan(table, { ...whole, serverId: 3 }, signal)) read += chunk.rows
      expect(read).toBe(rows.length / 50)
    }

    it('a user with readonly=1 reads: no setting of ours is sent', async () => {
      const writer = open('writer')
      await writer.prepare('readable')
      await store(writer, 'readable')
      await expectRead(open('reader'), 'readable')
      await expect(store(open('reader'), 'readable')).rejects.toMatchObject({ code: 'CLICKHOUSE_DENIED' })
    })

    it('a user of one database archives, looks up and reads there, and in no other', async () => {
      const writer = open('writer')
      await writer.prepare('own')
      await store(writer, 'own')
      expect(await stored(writer, 'own', rows)).toMatchObject({ kind: 'all' })
      await expectRead(writer, 'own')
      await server.query('CREATE DATABASE IF NOT EXISTS other')
      await expect(open('writer', 'other').prepare('own')).rejects.toMatchObject({ code: 'CLICKHOUSE_DENIED' })
    })

    describe.each([
      ['settings'],
      ['merge_tree_settings'],
      ['processes'],
      ['parts'],
      ['settings', 'merge_tree_settings', 'processes', 'parts'],
    ])('system.%s denied', (...tables) => {
      it('archives, recovers and is read', async () => {
        await using proxy = await denyingProxyTo(server, tables)
        const table = `without_${tables.join('_')}`
        const archiver = open('default', 'default', proxy.port)
        await archiver.prepare(table)
        expect(await stored(archiver, table, rows)).toEqual({ kind: 'none' })
        const result = await store(archiver, table)
        expect(await stored(archiver, table, rows)).toEqual({ kind: 'all', result })
        await expectRead(archiver, table)
        expect(proxy.denied.length).toBeGreaterThan(0)
      })
    })

    it('an insert that still runs is waited for without system.processes', async () => {
      const database = await createClickHouseDatabase(server)
      await using proxy = await denyingProxyTo(server, ['processes'])
      const archiver = open('default', database.name, proxy.port)
      await archiver.prepare('running')
      const batch = batchOf('running', rows)
      const sql = `INSERT INTO running (${columnList}) FORMAT Native`
      const many = plainRows(60_000)
      const body = [
        new NativeEncoder().encode({ chunk: chunkFromRows(many), from: 0, to: many.length }).bytes.slice(0, -9),
      ]
      const id = `${queryIdOf(database.name, batch)}.2`
      const insert = beginInsert(database, sql, id, body)
      await untilRunning(database, id, true)
      let ended = false
      const answer = stored(archiver, 'running', rows).then((held) => ({ held, ended }))
      const probes = () => proxy.passed.filter((text) => text.includes('SELECT 1')).length
      while (probes() < 120) await Promise.race([answer, new Promise(setImmediate)])
      ended = true
      insert.die()
      expect(await answer).toEqual({ held: { kind: 'none' }, ended: true })
      expect(await readTable(database, 'running')).toEqual([])
    })

    it('without system.parts the days that the source knows are the only ones read', async () => {
      await using proxy = await denyingProxyTo(server, ['parts'])
      const archiver = open('default', 'default', proxy.port)
      await archiver.prepare('dated')
      await store(archiver, 'dated')
      const [first, last] = [rows[0]!.tsSeconds, rows.at(-1)!.tsSeconds]
      const times = [{ fromSeconds: first, toSeconds: last }]
      expect(await archiver.reader.digest('dated', { ...whole, times }, signal)).toMatchObject({ rows: 3_000n })
      expect(proxy.passed.at(-1)).toMatch(/WHERE \(dt BETWEEN toDate\(\d+\) AND toDate\(\d+\)\)/)
    })
  },
  users,
)
