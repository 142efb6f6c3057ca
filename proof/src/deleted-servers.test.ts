import type {} from '@archiver/restore'
import { addPoolTables, dropPoolTables } from '@archiver/testkit'
import { describeWithMySql, sharedClickHouse } from '@archiver/testkit/vitest'
import type { RowDataPacket } from 'mysql2/promise'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ArchiverName } from './archives.js'
import { type CliEnv, type CliResult, runCli } from './cli.js'
import { runHeldUp } from './held-up.js'
import { oddRows, RECENT_MEDIAN } from './rows.js'
import { Site } from './site.js'

const ROWS = 6_000
const SERVERS = 40
/** The servers that their owners delete. */
const GONE = [3, 8, 21]
const ARCHIVERS: readonly ArchiverName[] = ['fileavro', 'clickhouse']
const DAY_S = 86_400

type Point = Parameters<typeof runHeldUp>[1]['point']

/** Old rows, and the last 100 young. The newest row is of a server that stays. */
function* rows() {
  const nowSeconds = Math.floor(Date.now() / 1000)
  for (const row of oddRows({ rows: ROWS, seed: 5, servers: SERVERS })) {
    const daysOld = row.id > BigInt(ROWS - 100) ? 2 : 30
    yield { ...row, tsSeconds: nowSeconds - daysOld * DAY_S, serverId: row.id === BigInt(ROWS) ? 1 : row.serverId }
  }
}

await describeWithMySql('servers that are deleted', { clickhouse: sharedClickHouse }, (database, { clickhouse }) => {
  let site: Site
  let gone: number[]
  const env = (): CliEnv => ({
    ...site.env,
    archive_settle: '50ms',
    batch_avro_max_size: '2000',
    batch_ch_max_size: '2000',
    retention_days: '14',
    cleanup_default_interval: '0s',
    cleanup_reduced_interval: '0s',
    cleanup_pause: '0s',
    cleanup_max_lag: '0',
  })
  beforeAll(async () => {
    site = await Site.open(database, clickhouse)
  })
  beforeEach(async () => {
    await site.fill(rows(), ARCHIVERS)
    const monitors = Array.from({ length: RECENT_MEDIAN }, (_, i) => i + 1)
    await addPoolTables(site.connection, { servers: SERVERS, monitors })
    gone = await idsOf(`server_id in (${GONE})`)
    expect(gone.length).toBeGreaterThan(300)
  })
  afterEach(() => dropPoolTables(site.connection))
  afterAll(() => site.close())

  const idsOf = async (where: string) => {
    const [found] = await site.connection.query<RowDataPacket[]>(`select id from log_scores where ${where} order by id`)
    return found.map(({ id }) => Number(id))
  }
  const deleteServers = async () => {
    await site.connection.query(`delete from servers where id in (${GONE})`)
  }
  const archivedIds = async (archiver: ArchiverName) =>
    (await site.archived(archiver)).map(({ id }) => Number(id)).sort((a, b) => a - b)
  const all = Array.from({ length: ROWS }, (_, i) => i + 1)
  const archive = () => runCli(env())
  const run = (...args: readonly string[]) => runCli(env(), undefined, { args })

  /** Every row that MySQL has is in each archive, none twice, and no other but of these servers. */
  const expectComplete = async () => {
    const left = await idsOf('true')
    const allowed = new Set([...left, ...gone])
    for (const archiver of ARCHIVERS) {
      const ids = await archivedIds(archiver)
      expect(ids.filter((id, i) => id === ids[i - 1])).toEqual([])
      expect(ids.filter((id) => !allowed.has(id))).toEqual([])
      const held = new Set(ids)
      expect(left.filter((id) => !held.has(id))).toEqual([])
    }
    expect(await run('verify', '--deep')).toMatchObject({ code: 0 })
  }

  test.each<[Point, number]>([
    ['plan.before', 1],
    ['plan.after', 1],
    ['store.before', 2],
    ['store.chunk', 1],
    ['file.written', 1],
    ['file.synced', 1],
    ['file.published', 2],
    ['clickhouse.sending', 1],
    ['clickhouse.sent', 1],
    ['store.after', 3],
    ['commit.before', 2],
    ['commit.after', 1],
  ])('archive, at %s, pass %i', async (point, pass) => {
    await runHeldUp(env(), { point, pass }, deleteServers)
    expect(await archive()).toMatchObject({ code: 0 })
    expect(await idsOf(`server_id in (${GONE})`)).toEqual([])
    await expectComplete()
  })

  test.each<Point>(['recover.before', 'recover.after'])('archive, at %s', async (point) => {
    await runCli(env(), { point: 'store.after', pass: 2, action: 'kill' })
    await runHeldUp(env(), { point, pass: 1 }, deleteServers)
    expect(await archive()).toMatchObject({ code: 0 })
    await expectComplete()
  })

  describe('when all is archived', () => {
    beforeEach(async () => {
      expect(await archive()).toMatchObject({ code: 0 })
    })

    test.each([1, 2])('verify --deep, once rows of archive %i are read: no difference', async (pass) => {
      const held = await runHeldUp(env(), { point: 'verify.source-read', pass }, deleteServers, {
        args: ['verify', '--deep', '--json'],
      })
      expect(held).toMatchObject({ code: 0 })
      expect(await idsOf(`server_id in (${GONE})`)).toEqual([])
      const after = await run('verify', '--deep', '--json')
      expect(deletedOf(after)).toEqual([gone.length, gone.length])
    })

    test.each<Point>(['cleanup.verified', 'cleanup.before', 'cleanup.deleted', 'cleanup.after', 'cleanup.stamped'])(
      'cleanup, at %s: what is left is young or is the newest, and the archives have all',
      async (point) => {
        await site.turnOn('cleanup')
        let deleting: Promise<void> | undefined
        await runHeldUp(env(), { point, pass: 1 }, async () => {
          deleting = deleteServers()
          // There the cleaner holds the rows: the owner waits for it.
          if (point !== 'cleanup.deleted') await deleting
        })
        await deleting
        expect(await archive()).toMatchObject({ code: 0 })
        expect(await idsOf('ts < utc_timestamp() - interval 14 day')).toEqual([])
        expect(await idsOf('true')).toEqual(all.slice(-100).filter((id) => !gone.includes(id)))
        for (const archiver of ARCHIVERS) expect(await archivedIds(archiver)).toEqual(all)
      },
    )

    test.each(ARCHIVERS)(
      'restore of %s: a table with foreign keys takes no row of them, another one does',
      async (archiver) => {
        await site.connection.query('delete from log_scores where id <= 5000')
        const into = (table: string) => ({ args: ['restore', archiver, '--into', table, '--yes'] })
        const place = { point: 'restore.compared', pass: 1 } as const
        const refused = await runHeldUp(env(), place, deleteServers, into('log_scores'))
        expect(refused.code).toBe(1)
        expect(refused.stderr).toMatch(/server_id [\d, ]+ (is|are) not in .*`servers`\. /)
        expect(await idsOf('id <= 5000')).toEqual([])
        await site.connection.query('create table restored like log_scores')
        expect(await runCli(env(), undefined, into('restored'))).toMatchObject({ code: 0 })
        const [restored] = await site.connection.query<RowDataPacket[]>('select id from restored order by id')
        expect(restored.map(({ id }) => Number(id))).toEqual(all)
        await site.connection.query('drop table restored')
      },
    )
  })
})

/** How many rows of each archive were deleted from MySQL. */
function deletedOf({ stdout }: CliResult): number[] {
  const { archivers } = JSON.parse(stdout) as { archivers: { deletedFromSource?: { rows: number } }[] } // of --json
  return archivers.map(({ deletedFromSource }) => deletedFromSource?.rows ?? 0)
}
