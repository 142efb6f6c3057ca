import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describeWithMySql, sharedClickHouse } from '@archiver/testkit/vitest'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { CliRun } from './run-cli.js'
import { Workplace } from './workplace.js'

interface Answer {
  readonly ok: boolean
  readonly archivers: readonly {
    readonly archiver: string
    readonly ok: boolean
    readonly rows?: number
    readonly firstId?: string
    readonly lastId?: string
    readonly deletedFromSource?: { readonly rows: number }
    readonly findings?: readonly Record<string, unknown>[]
    readonly error?: { readonly code: string }
  }[]
}

/** A range by time that has no row: the times that there are. */
const beyondTimes = expect.stringMatching(
  /^no row up to the mark, id 100, is in this range: the rows of log_scores are from 2026-11-01T\d\d:\d\d:\d\dZ to 2026-11-01T\d\d:\d\d:\d\dZ$/,
)

await describeWithMySql('archiver verify', { clickhouse: sharedClickHouse }, (database) => {
  let place: Workplace
  beforeAll(async () => {
    place = await Workplace.open(database)
  })
  beforeEach(async () => {
    await place.reset(100)
    place.env.batch_avro_max_size = '40'
    place.env.archive_settle = '0s'
    expect(await place.run('archive')).toMatchObject({ code: 0 })
  })
  afterAll(() => place.close())

  const answerOf = (run: CliRun): Answer => JSON.parse(run.stdout) as Answer // the document of --json
  const findingsOf = async (...args: readonly string[]) => {
    const run = await place.run('verify', '--json', ...args)
    const answer = answerOf(run)
    expect(run.code).toBe(answer.ok ? 0 : 1)
    return answer.archivers.flatMap(({ archiver, findings = [] }) => findings.map((found) => ({ archiver, ...found })))
  }
  /** The table of the archive anew, with these rows of it. */
  const keepInClickHouse = async (rows: string) => {
    await place.clickhouse.query('create table kept as log_scores')
    await place.clickhouse.query(`insert into kept ${rows}`)
    await place.clickhouse.query('drop table log_scores')
    await place.clickhouse.query('rename table kept to log_scores')
  }
  /** The file that begins with this row. */
  const fileOf = async (firstId: number) => {
    const name = (await readdir(place.folder)).find((file) => file.endsWith(`-${firstId}.avro`))!
    return join(place.folder, name)
  }

  test('says that everything is the same, and how it knows', async () => {
    const run = await place.run('verify')
    expect(run).toMatchObject({ code: 0, stderr: '' })
    expect(run.stdout).toContain('fileavro: ids 1 to 100, 100 rows: the same by rows, ids, servers and times')
    expect(run.stdout).toContain('clickhouse: ids 1 to 100, 100 rows: the same by rows, ids, servers and times')
    expect((await place.run('verify', '--deep', '--only', 'clickhouse')).stdout).toMatch(/^clickhouse: .* every column/)
    expect(await findingsOf('--deep')).toEqual([])
  })

  test('compares what MySQL still has, up to the mark', async () => {
    await place.connection.query('delete from log_scores where id <= 30')
    await place.connection.query("update log_scores_archive_status set log_score_id = 80 where archiver = 'clickhouse'")
    const { archivers } = answerOf(await place.run('verify', '--json', '--deep'))
    expect(archivers).toMatchObject([
      { archiver: 'clickhouse', ok: true, firstId: '31', lastId: '80', rows: 50 },
      { archiver: 'fileavro', ok: true, firstId: '31', lastId: '100', rows: 70 },
    ])
  })

  describe('rows that were deleted from MySQL since', () => {
    const deletedIn = (run: CliRun) => answerOf(run).archivers.map(({ deletedFromSource }) => deletedFromSource)

    test.each([[[]], [['--deep']]])(
      'are counted apart, with their servers, and are not a difference (%j)',
      async (how) => {
        await place.reset(100)
        await place.connection.query('update log_scores set server_id = 4711 where id in (20, 50, 51)')
        await place.connection.query('update log_scores set server_id = 4712 where id = 60')
        expect(await place.run('archive')).toMatchObject({ code: 0 })
        await place.connection.query('delete from log_scores where server_id in (4711, 4712)')
        const run = await place.run('verify', '--json', ...how)
        expect(run.code).toBe(0)
        const servers = [
          { serverId: 4711, rows: 3 },
          { serverId: 4712, rows: 1 },
        ]
        const deleted = { rows: 4, servers, moreServers: false }
        expect(deletedIn(run)).toEqual([deleted, deleted])
        const text = await place.run('verify', ...how)
        expect(text.stdout).toContain('4 rows deleted from MySQL since, of servers 4711 (3), 4712 (1)')
        expect(text.stdout).toContain('96 rows: the same')
        expect(await place.run('verify', '--fail-on-deleted', ...how)).toMatchObject({ code: 1 })
      },
    )

    test.each([[[]], [['--deep']]])('by cleanup, behind a row that was kept, are neither (%j)', async (how) => {
      await place.reset(100)
      await place.connection.query("insert into log_scores_archive_status (archiver) values ('cleanup')")
      await place.connection.query(`create table pointers (id bigint unsigned not null,
        constraint pointers_id foreign key (id) references log_scores (id))`)
      await place.connection.query('insert into pointers values (7)')
      Object.assign(place.env, { cleanup_default_interval: '0s', cleanup_max_lag: '0', archive_settle: '0s' })
      const cleaned = await place.run('archive')
      expect(cleaned).toMatchObject({ code: 0 })
      expect(cleaned.stdout + cleaned.stderr).toContain('1 old row is kept because pointers refers to it')
      const run = await place.run('verify', '--json', ...how)
      await place.connection.query('drop table pointers')
      expect(run.code).toBe(0)
      expect(answerOf(run).archivers).toMatchObject([
        { ok: true, firstId: '7', lastId: '100', rows: 2 },
        { ok: true, firstId: '7', lastId: '100', rows: 2 },
      ])
      expect(deletedIn(run)).toMatchObject([{ rows: 0 }, { rows: 0 }])
    })
  })

  describe('finds in ClickHouse', () => {
    const only = ['--only', 'clickhouse']

    test.each([[[]], [['--deep']]])('a dropped and a doubled row (%j)', async (how) => {
      await keepInClickHouse('select * from log_scores where id != 50')
      await place.clickhouse.query('insert into log_scores select * from log_scores where id = 60')
      expect(await findingsOf(...only, ...how)).toEqual([
        { archiver: 'clickhouse', kind: 'missing', firstId: '50', lastId: '50', rows: 1 },
        { archiver: 'clickhouse', kind: 'doubled', firstId: '60', lastId: '60', rows: 1 },
      ])
    })

    test('a changed float, with --deep, in words', async () => {
      const columns =
        'id, monitor_id, server_id, ts, score + if(id = 70, 0.5, 0), step, offset, rtt, leap, warning, error'
      await keepInClickHouse(`select dt, ${columns} from log_scores`)
      expect(await findingsOf(...only)).toEqual([])
      const run = await place.run('verify', '--deep', ...only)
      expect(run.code).toBe(1)
      expect(run.stdout).toMatch(/1 different.*\n {2}different: id 70: score is [\d.]+, should be [\d.]+\n/)
    })

    test('everything, where the table is gone', async () => {
      await place.clickhouse.query('drop table log_scores')
      expect(await findingsOf(...only)).toMatchObject([{ kind: 'missing', firstId: '1', lastId: '100', rows: 100 }])
    })
  })

  describe('finds among the files', () => {
    const only = ['--only', 'fileavro']

    test('one that is missing', async () => {
      await rm(await fileOf(41))
      expect(await findingsOf(...only)).toMatchObject([
        { kind: 'gone', identity: expect.stringMatching(/-41\.avro$/) },
        { kind: 'missing', firstId: '41', lastId: '80', rows: 40 },
      ])
    })

    test('one that is cut off, and what is wrong in another', async () => {
      const [cut, gone] = [await fileOf(41), await fileOf(81)]
      await truncate(cut, 1000)
      await rm(gone)
      expect(await findingsOf(...only)).toMatchObject([
        { kind: 'gone' },
        { kind: 'unreadable', message: expect.stringContaining(`${cut} is truncated: at byte`) },
        { kind: 'missing', firstId: '81', lastId: '100' },
      ])
    })

    test('one with a flipped bit', async () => {
      const path = await fileOf(41)
      const bytes = await readFile(path)
      bytes[bytes.length - 40]! ^= 16
      await writeFile(path, bytes)
      expect(await findingsOf(...only, '--deep')).not.toEqual([])
    })
  })

  test('a row that was taken out is not missing', async () => {
    await place.reset(100)
    await place.connection.query('update log_scores set score = 1e300 where id = 60')
    await place.run('archive', '--only', 'clickhouse')
    await place.run('skip', 'clickhouse', '60', '--reason', 'fits no float')
    await place.run('archive', '--only', 'clickhouse')
    const run = await place.run('verify', '--only', 'clickhouse', '--deep')
    expect(run).toMatchObject({ code: 0, stdout: expect.stringContaining('1 row taken out by archiver skip') })
    expect(run.stdout).toContain('ids 1 to 100, 99 rows')
  })

  describe('--repair', () => {
    test('stores what is missing as batches of their own, and looks again', async () => {
      await keepInClickHouse('select * from log_scores where id not in (50, 51, 70)')
      await rm(await fileOf(41))
      const marks = await place.marks()
      const run = await place.run('verify', '--repair', '--yes')
      expect(run).toMatchObject({ code: 0, stderr: '' })
      expect(run.stdout).toContain('clickhouse: ids 1 to 100, 100 rows: the same')
      expect(await place.marks()).toEqual(marks)
      expect(await place.clickhouseIds()).toEqual(Array.from({ length: 100 }, (_, i) => i + 1))
      expect(await findingsOf('--deep')).toEqual([])
      expect(await place.run('archive')).toMatchObject({ code: 0 })
      expect(await findingsOf('--deep')).toEqual([])
    })

    test('asks first, and leaves alone what it cannot mend', async () => {
      await keepInClickHouse('select * from log_scores where id != 50')
      const asked = await place.run('verify', '--only', 'clickhouse', '--repair')
      expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining('add --yes') })
      expect(await place.clickhouseIds()).toHaveLength(99)
      await place.clickhouse.query('insert into log_scores select * from log_scores where id = 60')
      const run = await place.run('verify', '--only', 'clickhouse', '--repair', '--yes', '--json')
      expect(run.code).toBe(1)
      expect(answerOf(run).archivers[0]?.findings).toMatchObject([{ kind: 'doubled', firstId: '60' }])
    })
  })

  test.each([
    ['ids', ['--from', '11', '--to', '20'], { firstId: '11', lastId: '20', rows: 10 }],
    ['a date', ['--from', '2026-11-01', '--to', '2026-11-01'], { firstId: '1', lastId: '100', rows: 100 }],
    ['beyond the mark', ['--to', '5000'], { firstId: '1', lastId: '100', rows: 100 }],
    ['a time before all rows', ['--to', '1999-12-31'], { skipped: beyondTimes }],
    ['epoch seconds', ['--from', '@1793491200', '--to', '@1793577599'], { firstId: '1', lastId: '100', rows: 100 }],
  ])('from and to: %s', async (_, args, expected) => {
    const run = await place.run('verify', '--json', '--only', 'clickhouse', ...args)
    expect(run.code).toBe(0)
    expect(answerOf(run).archivers).toMatchObject([expected])
  })

  test.each([
    ['no date', ['--from', 'yesterday'], 2, 'is not an id, a date'],
    ['a day that is none', ['--to', '2026-02-30'], 2, 'is not an id, a date'],
    ['ids the wrong way round', ['--from', '20', '--to', '10'], 2, 'it begins at id 20, above its end, id 10'],
    ['dates the wrong way round', ['--from', '2026-11-02', '--to', '2026-11-01'], 2, 'no row can be in this range'],
    ['a year ahead', ['--from', '2099-11-01'], 2, 'it begins in the future'],
    ['epoch seconds taken for ids', ['--from', '1792454400'], 2, 'For a time in epoch seconds write @1792454400.'],
    ['ids above the newest', ['--json', '--from', '101'], 2, '"ok": false'],
    ['no archiver', ['--only', 'tape'], 2, 'there is no archiver tape'],
    ['an archiver that is off', ['--only', 'bigquery'], 1, 'is not turned on'],
    ['an answer that nobody can give', ['--json', '--repair'], 2, 'add --yes'],
  ])('%s', async (_, args, code, words) => {
    const run = await place.run('verify', ...args)
    expect(run.code).toBe(code)
    expect(run.stdout + run.stderr).toContain(words)
  })

  test('rows that are not stored yet are said to be so', async () => {
    await place.connection.query("update log_scores_archive_status set log_score_id = 50 where archiver = 'clickhouse'")
    const run = await place.run('verify', '--only', 'clickhouse', '--from', '60')
    expect(run).toMatchObject({
      code: 0,
      stdout: 'clickhouse: no row of this range is stored yet: the mark is at id 50\n',
    })
  })

  test.each([[[]], [['--json']]])('nothing turned on is not "all the same": %j', async (options) => {
    await place.connection.query('delete from log_scores_archive_status')
    const run = await place.run('verify', ...options)
    expect(run.code).toBe(1)
    expect(run.stdout + run.stderr).toContain('no archiver is turned on in log_scores_archive_status')
    if (options.length > 0) expect(answerOf(run).ok).toBe(false)
    const pass = await place.run('archive')
    expect(pass.code).toBe(0)
    expect(pass.stderr).toContain('no archiver is turned on: log_scores_archive_status has no row')
  })

  test('an archive that cannot be asked fails, and the others are verified', async () => {
    place.env.ch_dsn = 'tcp://127.0.0.1:1/nowhere?http_port=1'
    const run = await place.run('verify', '--json')
    expect(run.code).toBe(1)
    const archivers = Object.fromEntries(answerOf(run).archivers.map((result) => [result.archiver, result]))
    expect(archivers).toMatchObject({
      clickhouse: { ok: false, error: { code: 'CLICKHOUSE_UNREACHABLE' } },
      fileavro: { ok: true, rows: 100 },
    })
  })
})
