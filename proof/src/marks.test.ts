import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { SourceRow } from '@archiver/testkit'
import { describeWithMySql, sharedClickHouse } from '@archiver/testkit/vitest'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { runCli } from './cli.js'
import type { Fault } from './fault.js'
import { oddRows, sourceRows } from './rows.js'
import { Site } from './site.js'

const ROWS = 1_000
/** No insert is ever in flight here: nothing to wait for before each of many looks. */
const BATCHES = { batch_avro_max_size: '100', batch_ch_max_size: '100', archive_takeover_wait: '10ms' }
const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1)

/** 50 young rows, 50 old ones, and so on. */
function* inTurns(): Generator<SourceRow> {
  const nowSeconds = Math.floor(Date.now() / 1000)
  for (const row of oddRows({ rows: ROWS, seed: 5 })) {
    const daysOld = Number(row.id - 1n) % 100 < 50 ? 2 : 30
    yield { ...row, tsSeconds: nowSeconds - daysOld * 86_400 }
  }
}

await describeWithMySql('a mark moved by hand', { clickhouse: sharedClickHouse }, (database, { clickhouse }) => {
  let site: Site
  beforeAll(async () => {
    site = await Site.open(database, clickhouse)
  })
  afterAll(() => site.close())

  describe.each(['fileavro', 'clickhouse'] as const)('of %s', (archiver) => {
    beforeEach(() => site.fill(ROWS, [archiver]))

    const run = (fault?: Fault) => runCli({ ...site.env, ...BATCHES }, fault)
    const moveTo = (id: number | null) =>
      site.connection.query('update log_scores_archive_status set log_score_id = ?', [id])

    async function ids(): Promise<number[]> {
      return (await site.archived(archiver)).map(({ id }) => Number(id)).sort((a, b) => a - b)
    }

    /** Takes the rows of the sixth to the seventh hundred out of the archive, by whole files or by days. */
    async function loseRows(): Promise<void> {
      if (archiver === 'clickhouse')
        await site.clickhouse.query('alter table log_scores delete where id between 501 and 700')
      else
        for (const name of await readdir(site.folder)) {
          if (/-(501|601)\.avro$/.test(name)) await rm(join(site.folder, name))
        }
      await expect.poll(ids).toHaveLength(ROWS - 200)
    }

    test.each([null, 1, 450, 999])('back to %s: all is there once', async (to) => {
      await run()
      await moveTo(to)
      expect(await run()).toMatchObject({ code: 0 })
      expect(await site.problems(archiver)).toEqual([])
    })

    test.each([null, 450])('back to %s, and a crash while that is checked: all is there once', async (to) => {
      await run()
      await moveTo(to)
      expect(await run({ point: 'commit.before', pass: 2, action: 'kill' })).toMatchObject({ signal: 'SIGKILL' })
      expect(await run()).toMatchObject({ code: 0 })
      expect(await site.problems(archiver)).toEqual([])
    })

    test('back, because the archive has lost rows: they are stored again', async () => {
      await run()
      await loseRows()
      await moveTo(500)
      expect(await run()).toMatchObject({ code: 0 })
      expect(await site.problems(archiver)).toEqual([])
    })

    test.each([null, 450])(
      'back to %s, when older rows have been cleaned from MySQL: nothing is stored twice',
      async (to) => {
        await run()
        await site.connection.query('delete from log_scores where id <= 430')
        await moveTo(to)
        expect(await run()).toMatchObject({ code: 0 })
        expect(await ids()).toEqual(upTo(ROWS))
        expect(await site.marks()).toEqual({ [archiver]: ROWS })
      },
    )

    test.each([null, 450])(
      'back to %s, when the cleaner has deleted rows between others: nothing is stored twice',
      async (to) => {
        await site.fill(inTurns(), [archiver])
        await run()
        await site.turnOn('cleanup')
        const cleaning = { cleanup_default_interval: '0s', cleanup_max_lag: '0', retention_days: '14' }
        expect(await runCli({ ...site.env, ...BATCHES, ...cleaning })).toMatchObject({ code: 0 })
        await site.connection.query("delete from log_scores_archive_status where archiver = 'cleanup'")
        await moveTo(to)
        expect(await run()).toMatchObject({ code: 0 })
        expect(await site.marks()).toEqual({ [archiver]: ROWS })
        expect(await sourceRows(site.connection)).toHaveLength(ROWS / 2 + 1)
        expect(await ids()).toEqual(upTo(ROWS))
      },
    )

    test('back to none, when MySQL has cleaned what the archive has lost: the rest is not stored twice', async () => {
      await run()
      await loseRows()
      await site.connection.query('delete from log_scores where id <= 700')
      await moveTo(null)
      expect(await run()).toMatchObject({ code: 0 })
      expect(await ids()).toEqual([...upTo(500), ...upTo(300).map((i) => 700 + i)])
      expect(await site.marks()).toEqual({ [archiver]: ROWS })
    })

    test('forward: the rows it passes are left to whoever moved it, and back again: they are stored', async () => {
      await moveTo(400)
      await run()
      expect(await ids()).toEqual(upTo(600).map((i) => i + 400))
      await moveTo(null)
      expect(await run()).toMatchObject({ code: 0 })
      expect(await ids()).toEqual(upTo(ROWS))
    })

    test.each([null, 50])('back to %s, behind a batch that a crash left unfinished', async (to) => {
      await run({ point: 'commit.before', pass: 2, action: 'kill' })
      await moveTo(to)
      expect(await run()).toMatchObject({ code: 0 })
      expect(await site.problems(archiver)).toEqual([])
    })

    test.each([150, 200, 900])('over a batch that a crash left unfinished, to %i', async (to) => {
      await run({ point: 'commit.before', pass: 2, action: 'kill' })
      await moveTo(to)
      expect(await run()).toMatchObject({ code: 0 })
      const held = to > 200 ? upTo(ROWS - to).map((i) => i + to) : upTo(ROWS).slice(200)
      expect(await ids()).toEqual([...upTo(200), ...held])
      expect(await site.marks()).toEqual({ [archiver]: ROWS })
    })
  })
})
