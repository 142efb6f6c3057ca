import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MySqlLock } from '@archiver/mysql'
import { generateRows, insertRows } from '@archiver/testkit'
import { describeWithMySql, sharedClickHouse, sharedFakeGcs } from '@archiver/testkit/vitest'
import type { RowDataPacket } from 'mysql2/promise'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ARCHIVERS, type ArchiverName, storedRow } from './archives.js'
import { runCli } from './cli.js'
import { differences } from './compare.js'
import type { Fault } from './fault.js'
import { GoProgram } from './go-program.js'
import { sourceRows } from './rows.js'
import { Site } from './site.js'

const BATCHES = { batch_avro_max_size: '150', batch_ch_max_size: '150', batch_bq_max_size: '150' }

/** Rows whose every value the Go program stores as ours does, but for the warning. */
const rows = (count: number, firstId = 1) => generateRows({ rows: count, firstId: BigInt(firstId), seed: firstId })

await describeWithMySql(
  'moving from the Go program',
  { clickhouse: sharedClickHouse, gcs: sharedFakeGcs },
  (database, { clickhouse, gcs }) => {
    let site: Site
    let go: GoProgram
    beforeAll(async () => {
      site = await Site.open(database, clickhouse, gcs)
      go = new GoProgram(site)
    })
    afterAll(() => site.close())

    const run = (fault?: Fault, more = {}) => runCli({ ...site.env, ...BATCHES, ...more }, fault)
    const add = (count: number, firstId: number) => insertRows(site.connection, 'log_scores', rows(count, firstId))

    /** What is wrong with an archive that both wrote and that should hold every row once. Of warnings only ClickHouse knows. */
    async function problems(archiver: ArchiverName): Promise<string[]> {
      const source = await sourceRows(site.connection)
      const plain = (row: (typeof source)[number]) => ({ ...row, warning: null })
      const archived = await site.archived(archiver)
      const wanted = source.map((row) => plain(storedRow(archiver, row)))
      const left = await site.connection.query<RowDataPacket[]>(
        "select id from log_scores_archive_batch where state = 'planned'",
      )
      expect(await site.marks()).toEqual({ [archiver]: Number(source.at(-1)!.id) })
      expect(left[0]).toEqual([])
      return [...differences(archived.map(plain), wanted), ...(await site.leftovers())]
    }

    describe.each(ARCHIVERS)('%s', (archiver) => {
      beforeEach(() => site.fill(rows(400), [archiver]))

      test('there, back again and there once more, while rows arrive', async () => {
        await go.archive(archiver, { maxRows: 200 })
        await add(300, 401)
        expect(await run()).toMatchObject({ code: 0 })
        await add(300, 701)
        await go.archive(archiver, { maxRows: 120 })
        await add(100, 1001)
        expect(await run()).toMatchObject({ code: 0 })
        expect(await problems(archiver)).toEqual([])
      })

      test.each([
        ['its very first batch', 0, 100],
        ['a batch smaller than ours', 1, 100],
        ['a batch of several of ours', 1, 330],
      ])('it died between storing and marking %s: nothing is stored twice', async (_, marked, maxRows) => {
        await go.archive(archiver, { maxRows: 60, batches: marked })
        await go.archive(archiver, { maxRows, batches: 1, dies: 'before the mark' })
        expect(await run()).toMatchObject({ code: 0 })
        expect(await problems(archiver)).toEqual([])
      })

      test('the same, and ours is killed twice while it looks: nothing is stored twice', async () => {
        await go.archive(archiver, { maxRows: 60, batches: 1 })
        await go.archive(archiver, { maxRows: 140, batches: 1, dies: 'before the mark' })
        const small = { batch_ch_max_size: '50', batch_bq_max_size: '50' }
        for (const pass of [1, 2]) {
          const killed = await run({ point: 'commit.before', pass, action: 'kill' }, small)
          expect(killed).toMatchObject({ signal: 'SIGKILL' })
        }
        expect(await run(undefined, small)).toMatchObject({ code: 0 })
        expect(await problems(archiver)).toEqual([])
      })

      test('back again after a crash of ours: one more pass first, and nothing is stored twice', async () => {
        await go.archive(archiver, { maxRows: 10, batches: 1 })
        const killed = await run({ point: 'store.after', pass: 2, action: 'kill' })
        expect(killed).toMatchObject({ signal: 'SIGKILL' })
        expect(await run()).toMatchObject({ code: 0 })
        await add(300, 401)
        await go.archive(archiver, { maxRows: 200, batches: 1 })
        expect(await run()).toMatchObject({ code: 0 })
        expect(await problems(archiver)).toEqual([])
      })

      test('it ran over a batch that a crash of ours had planned and not stored', async () => {
        await go.archive(archiver, { maxRows: 10, batches: 1 })
        const killed = await run({ point: 'plan.after', pass: 2, action: 'kill' })
        expect(killed).toMatchObject({ signal: 'SIGKILL' })
        await go.archive(archiver, { maxRows: 1000 })
        await add(100, 401)
        expect(await run()).toMatchObject({ code: 0 })
        expect(await problems(archiver)).toEqual([])
      })
    })

    describe('files', () => {
      beforeEach(() => site.fill(rows(400), ['fileavro']))

      test('one that it was killed in is replaced', async () => {
        await go.archive('fileavro', { maxRows: 100, batches: 1 })
        await go.archive('fileavro', { maxRows: 100, batches: 1, dies: 'writing' })
        expect(await run()).toMatchObject({ code: 0 })
        expect(await problems('fileavro')).toEqual([])
      })

      test('those that it finished stay as they are', async () => {
        await go.archive('fileavro', { maxRows: 100, batches: 2 })
        await go.archive('fileavro', { maxRows: 100, batches: 1, dies: 'before the mark' })
        const before = await contents(site.folder)
        expect(await run()).toMatchObject({ code: 0 })
        expect(await contents(site.folder)).toMatchObject(before)
        expect(await problems('fileavro')).toEqual([])
      })
    })

    test('the lock is the same: neither starts while the other works', async () => {
      await site.fill(rows(100), ['fileavro'])
      const name = `archiver-${database.name}`
      const held = await site.mysql.connect()
      await held.query('select get_lock(?, 0)', [name])
      expect(await run()).toMatchObject({ code: 3 })
      await held.end()
      await using _ours = await MySqlLock.take({ settings: database.address, name, timeoutMs: 2_000 })
      await expect(go.archive('fileavro', { maxRows: 10 })).rejects.toThrow('is held')
    })
  },
)

async function contents(folder: string): Promise<Record<string, string>> {
  const names = await readdir(folder)
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'base64')))
  return Object.fromEntries(names.map((name, i) => [name, texts[i]!]))
}
