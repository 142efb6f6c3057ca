import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeArchiver, describeReader } from '@archiver/conformance'
import {
  type Archiver,
  batchSourceFrom,
  chunksFromRows,
  type LogScore,
  leaseUntil,
  rowsFromChunk,
} from '@archiver/core'
import { type ClickHouseClient, createClient } from '@clickhouse/client'
import { createChdbConnection } from 'chdb/connection'
import fc from 'fast-check'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { createClickHouseArchiver } from './archiver.js'
import { asConnection } from './chdb.js'
import { convert, fromJson, type JsonRow, selectRows } from './testing/read-back.js'
import { batchOf, fits, hostileRows, plainRows } from './testing/rows.js'

const folder = await mkdtemp(join(tmpdir(), 'archiver-chdb-'))
const path = join(folder, 'ar chive')
const client: ClickHouseClient = createClient({ connection: asConnection(createChdbConnection({ path })) })

afterAll(async () => {
  await client.close()
  await rm(folder, { recursive: true })
})

describe('the embedded ClickHouse', () => {
  const opened: Archiver[] = []
  const open = (parameters = '') => {
    const archiver = createClickHouseArchiver({ dsn: `chdb://${encodeURI(path)}${parameters}` })
    opened.push(archiver)
    return archiver
  }
  const start = async (table: string, parameters = '') => {
    const archiver = open(parameters)
    await archiver.prepare(table)
    return archiver
  }
  const store = (archiver: Archiver, table: string, rows: readonly LogScore[]) =>
    archiver.store(batchOf(table, rows), chunksFromRows(rows, 1000), leaseUntil())
  const stored = (archiver: Archiver, table: string, rows: readonly LogScore[]) =>
    archiver.findStored(
      batchOf(table, rows),
      batchSourceFrom(() => chunksFromRows(rows, 1000)),
      leaseUntil(),
    )

  afterEach(async () => {
    for (const archiver of opened.splice(0)) await archiver[Symbol.asyncDispose]()
  })

  describeArchiver('chdb', { open: async () => open(), read, convert })

  describeReader('chdb', {
    open: async () => open(),
    read,
    convert,
    async tamper(table, edit) {
      const rows = (await read(table)).flatMap(edit)
      await client.command({ query: `TRUNCATE TABLE ${table}` })
      await store(open(), table, rows)
    },
  })

  it('refuses a table that drops rows or values with time, unless that is accepted', async () => {
    await (await start('lasting'))[Symbol.asyncDispose]()
    const { made } = (
      await (
        await client.query({
          query: "SELECT create_table_query AS made FROM system.tables WHERE name = 'lasting'",
          format: 'JSONEachRow',
        })
      ).json<{ made: string }>()
    )[0]!
    const withTtl = (name: string) =>
      made.replace('lasting', name).replace(' SETTINGS', ' TTL dt + toIntervalDay(3650) SETTINGS')
    await client.command({ query: withTtl('expiring') })
    await client.command({
      query: made
        .replace('lasting', 'paling')
        .replace('`error` Nullable(String)', '`error` Nullable(String) TTL ts + toIntervalDay(9)'),
    })
    const refusal = { code: 'CLICKHOUSE_TABLE_EXPIRES', hint: expect.stringContaining('archive_expires=ok') }
    await expect(start('expiring')).rejects.toMatchObject({
      ...refusal,
      message: expect.stringContaining('the table has a TTL'),
    })
    await expect(start('paling')).rejects.toMatchObject({
      ...refusal,
      message: expect.stringContaining('the column error has a TTL'),
    })
    await expect(open().pendingDdl!('expiring')).rejects.toMatchObject(refusal)
    const accepting = createClickHouseArchiver({ dsn: `chdb://${encodeURI(path)}`, acceptExpiry: true })
    opened.push(accepting)
    await accepting.prepare('expiring')
  })

  it('gives back any rows as documented', { timeout: 300_000 }, async () => {
    const property = fc.asyncProperty(hostileRows, async (rows) => {
      await using archiver = await start('hostile')
      await client.command({ query: 'TRUNCATE TABLE hostile' })
      const taken = rows.filter(fits)
      if (taken.length === 0) return
      await store(archiver, 'hostile', taken)
      expect(await read('hostile')).toEqual(taken.map(convert))
    })
    await fc.assert(property, { numRuns: 10 })
  })

  it('creates the table so that an insert waits for the disk', async () => {
    await start('created')
    const answer = await client.query({ query: 'SHOW CREATE TABLE created', format: 'TabSeparatedRaw' })
    expect(await answer.text()).toContain('fsync_after_insert = 1')
  })

  it('keeps seconds since 1970 in UTC, whatever the time zone of the session', async () => {
    const archiver = await start('zone', '?session_timezone=America/New_York')
    const rows = plainRows(50)
    const result = await store(archiver, 'zone', rows)
    expect(await read('zone')).toEqual(rows)
    expect(await stored(archiver, 'zone', rows)).toEqual({ kind: 'all', result })
  })

  it('takes a table that keeps its texts by LowCardinality', async () => {
    await (await start('texts'))[Symbol.asyncDispose]()
    const type = 'LowCardinality(Nullable(String))'
    await client.command({ query: `ALTER TABLE texts MODIFY COLUMN error ${type}, MODIFY COLUMN warning ${type}` })
    const rows = plainRows(50).map((row, i) => ({ ...row, error: i % 9 ? null : 'i/o timeout' }))
    const archiver = await start('texts')
    await store(archiver, 'texts', rows)
    expect(await read('texts')).toEqual(rows)
    const { signal } = new AbortController()
    const held = []
    for await (const chunk of archiver.reader.read('texts', { afterId: 0n, upToId: 99n }, signal)) {
      held.push(...rowsFromChunk(chunk))
    }
    expect(held).toEqual(rows)
  })

  it('uses a database of its own where one is named', async () => {
    const rows = plainRows(5)
    await store(await start('t', '?database=ntp'), 't', rows)
    expect(await read('ntp.t')).toEqual(rows)
  })

  it('stores a batch of 250 days', async () => {
    const archiver = await start('days')
    const rows = plainRows(250, 1n, 1)
    const result = await store(archiver, 'days', rows)
    expect(await read('days')).toEqual(rows)
    expect(await stored(archiver, 'days', rows)).toEqual({ kind: 'all', result })
  })

  it('leaves no file behind, whether an insert succeeds, fails, or is left in the middle', async () => {
    const spool = join(path, 'archiver-spool', 'spool')
    const archiver = await start('spool')
    const rows = plainRows(3000)
    async function* breaks() {
      yield* chunksFromRows(rows, 1000)
      throw new Error('the source broke')
    }
    await store(archiver, 'spool', rows)
    await expect(archiver.store(batchOf('spool', rows), breaks(), leaseUntil())).rejects.toThrow('the source broke')
    await client.command({ query: 'DROP TABLE spool' })
    await expect(store(archiver, 'spool', rows)).rejects.toMatchObject({ code: 'CLICKHOUSE_TABLE_MISSING' })
    expect(await readdir(spool)).toEqual([])
    await mkdir(spool, { recursive: true })
    await writeFile(join(spool, 'archiver_default.spool_1.native'), 'of a process that died')
    await archiver.prepare('spool')
    await expect(readdir(spool)).rejects.toThrow('ENOENT')
  })

  it.each(['a folder above it that is not there', 'a file', 'a second folder in one process'])(
    'refuses %s',
    async (what) => {
      await writeFile(join(folder, 'file'), '')
      const place = what === 'a file' ? 'file' : what.startsWith('a second') ? 'second' : 'not/there'
      const archiver = createClickHouseArchiver({ dsn: `chdb://${folder}/${place}` })
      await expect(archiver.prepare('t')).rejects.toMatchObject({
        code: 'CHDB_FOLDER',
        message: expect.stringContaining(`ch_dsn: cannot open the embedded ClickHouse in ${folder}/${place}`),
      })
    },
  )

  async function read(table: string): Promise<LogScore[]> {
    const answer = await client.query({ query: `${selectRows(table)} ORDER BY id`, format: 'JSONEachRow' })
    return (await answer.json<JsonRow>()).map(fromJson)
  }
})
