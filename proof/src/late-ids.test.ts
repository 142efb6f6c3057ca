import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { archivedRow } from '@archiver/avro'
import type { Source } from '@archiver/core'
import { createFileAvroArchiver } from '@archiver/file-avro'
import { connectTo, createDatabase, createSourceTables, dropTables, type MySqlDatabase } from '@archiver/testkit'
import { describeWithMySql, describeWithOwnMySql } from '@archiver/testkit/vitest'
import type { Connection } from 'mysql2/promise'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { avroRows } from './avro-rows.js'
import { differences } from './compare.js'
import { onePass } from './pass.js'
import { sourceRows } from './rows.js'

const SETTLE_MS = 300
/** One row each. */
const insert = 'insert into log_scores (server_id, ts, score) values (1, utc_timestamp(), 1)'

await describeWithMySql('ids that appear late', (database) => lateIds(database))

// 2: bulk inserts take ids ahead and do not lock the others out. MySQL's default, not MariaDB's.
await describeWithOwnMySql(
  'ids that appear late, interleaved',
  (server) => {
    describe.each([1, 3])('rising by %i', async (idStep) => {
      const database = await createDatabase(server)
      beforeAll(async () => {
        const connection = await database.connect()
        await connection.query('set global auto_increment_increment = ?', [idStep])
        await connection.end()
      })
      lateIds(database)
    })
  },
  { serverArgs: ['--innodb-autoinc-lock-mode=2', '--auto-increment-offset=2'] },
)

function lateIds(database: MySqlDatabase): void {
  let connection: Connection
  let slow: Connection
  let slower: Connection
  let folder: string
  beforeAll(async () => {
    ;[connection, slow, slower] = (await Promise.all(Array.from({ length: 3 }, () => connectTo(database.address)))) as [
      Connection,
      Connection,
      Connection,
    ]
  })
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'archiver-late-'))
    await createSourceTables(connection, { archivers: ['fileavro'] })
  })
  afterEach(async () => {
    await slow.rollback()
    await slower.rollback()
    await dropTables(connection)
    await rm(folder, { recursive: true })
  })
  afterAll(() => Promise.all([connection, slow, slower].map((each) => each.end())))

  const pass = (watchSource?: (source: Source) => Source, settleMs = SETTLE_MS) =>
    onePass({
      database,
      archiver: createFileAvroArchiver({ path: folder, batch: { minRows: 1, maxRows: 30, intervalMs: 0 } }),
      settleMs,
      ...(watchSource && { watchSource }),
    })

  async function write(to: Connection, rows: number): Promise<void> {
    for (let i = 0; i < rows; i++) await to.query(insert)
  }

  const archivedCount = async () => (await avroRows(folder)).length

  async function expectAllArchived(): Promise<void> {
    const rows = await sourceRows(connection)
    expect(differences(await avroRows(folder), rows.map(archivedRow))).toEqual([])
  }

  test('transactions that commit out of order, or not at all', async () => {
    await slow.beginTransaction()
    await slower.beginTransaction()
    await write(connection, 3)
    await write(slow, 2)
    await write(connection, 40)
    await write(slower, 1)
    await write(connection, 5)
    expect((await pass()).failed.size).toBe(0)
    expect(await archivedCount()).toBe(3)
    await slower.commit()
    await pass()
    expect(await archivedCount()).toBe(3)
    await slow.rollback()
    await pass()
    await expectAllArchived()
    expect(await archivedCount()).toBe(49)
  })

  test('a transaction that stays open over many passes holds back what is behind it, and no more', async () => {
    await write(connection, 10)
    await slow.beginTransaction()
    await write(slow, 1)
    for (let round = 0; round < 4; round++) {
      await write(connection, 7)
      expect((await pass()).failed.size).toBe(0)
      expect(await archivedCount()).toBe(10)
    }
    await slow.commit()
    await pass()
    await expectAllArchived()
    expect(await archivedCount()).toBe(39)
  })

  test('a row that commits while the batch around it is read', async () => {
    await write(connection, 10)
    await slow.beginTransaction()
    await write(slow, 1)
    await write(connection, 15)
    await pass((source) => {
      const read = source.read.bind(source)
      source.read = async function* (range) {
        for await (const chunk of read(range)) {
          yield chunk
          await slow.commit()
        }
      }
      return source
    })
    await pass()
    await expectAllArchived()
  })

  test('bulk inserts that take their ids ahead, while others insert', async () => {
    await write(connection, 20)
    await connection.query(
      'create table numbers as with recursive t as (select 1 n union all select n + 1 from t where n < 99) select n from t',
    )
    await slow.beginTransaction()
    const bulk = slow.query(
      'insert into log_scores (server_id, ts, score) select n, utc_timestamp(), sleep(0.02) from numbers where n <= 60',
    )
    for (let i = 0; i < 6; i++) {
      await write(connection, 10)
      await pass()
    }
    await bulk
    await write(connection, 5)
    await pass()
    await slow.commit()
    await pass()
    await expectAllArchived()
    expect(await archivedCount()).toBe(145)
    await connection.query('drop table numbers')
  })

  test('an old hole costs nothing once it is behind the mark', async () => {
    await write(connection, 10)
    await slow.beginTransaction()
    await write(slow, 3)
    await slow.rollback()
    await write(connection, 10)
    await pass()
    expect(await archivedCount()).toBe(20)
    let probes = 0
    const counting = (source: Source): Source => {
      const ask = source.firstOpenHole.bind(source)
      source.firstOpenHole = (holes) => {
        probes++
        return ask(holes)
      }
      return source
    }
    const idle = await pass(counting, 600_000)
    expect(idle.events).toMatchObject([{ event: 'archiver.skipped', why: expect.stringMatching(/nothing to do/) }])
    expect(probes).toBe(0)
    await write(connection, 10)
    await pass(counting)
    expect(probes).toBe(0)
    await expectAllArchived()
  })

  test('rows that nothing can come before are not waited for', async () => {
    await write(connection, 20)
    const [[step]] = (await connection.query('select @@auto_increment_increment as by_how_much')) as unknown as [
      [{ by_how_much: number }],
    ]
    // Ten minutes are more than a test may take.
    await pass(undefined, step.by_how_much === 1 ? 600_000 : SETTLE_MS)
    expect(await archivedCount()).toBe(20)
  })
}
