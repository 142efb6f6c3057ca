import { readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describeWithMySql, sharedClickHouse } from '@archiver/testkit/vitest'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { countOf, tableRows } from './restore-bench.js'
import { Workplace } from './workplace.js'

await describeWithMySql('archiver restore', { clickhouse: sharedClickHouse }, (database) => {
  let place: Workplace
  beforeAll(async () => {
    place = await Workplace.open(database)
  })
  beforeEach(async () => {
    await place.connection.query('drop table if exists restored, odd, restored_archive_status')
    await place.reset(300, ['fileavro', 'clickhouse'])
    Object.assign(place.env, { batch_avro_max_size: '100', archive_settle: '0s', avro_schema: '2' })
    expect(await place.run('archive')).toMatchObject({ code: 0 })
    await place.connection.query('create table restored like log_scores')
  })
  afterAll(() => place.close())

  const restore = (archive: string, ...args: readonly string[]) => place.run('restore', archive, ...args)
  const deleteRows = (condition: string) => place.connection.query(`delete from log_scores where ${condition}`)
  const fileOf = async (firstId: number) => {
    const name = (await readdir(place.folder)).find((file) => file.endsWith(`-${firstId}.avro`))!
    return join(place.folder, name)
  }
  const idsOf = async (table: string) => (await tableRows(database.address, table)).map(({ id }) => Number(id))

  test('into a table apart: all rows, twice over without a change; says what was lost', async () => {
    const first = await restore('fileavro', '--into', 'restored')
    expect(first).toMatchObject({ code: 0, stderr: '' })
    expect(first.stdout).toContain('score, step and offset have 32 bits instead of 64')
    expect(first.stdout).toMatch(/restored: 300 rows of fileavro: 300 restored, 0 were there/)
    expect(await tableRows(database.address, 'restored')).toEqual(await tableRows(database.address, 'log_scores'))
    const again = await restore('fileavro', '--into', 'restored')
    expect(again).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('0 restored, 300 were there and are the same'),
    })
  })

  test('a row that is there otherwise is named with its columns, and left alone; the others come back', async () => {
    await deleteRows('id between 50 and 60')
    await place.connection.query('update log_scores set score = 7, attributes = \'{"leap":3}\' where id = 100')
    const run = await restore('fileavro', '--into', 'log_scores', '--yes')
    expect(run.code).toBe(1)
    expect(run.stdout).toMatch(/11 restored, 288 were there and are the same, 1 were there and are different/)
    expect(run.stdout).toMatch(
      /different: id 100: score is 7 in log_scores, .* in the archive; .*attributes is "{\\"leap\\":3}"/,
    )
    const rows = await tableRows(database.address, 'log_scores')
    expect(rows).toHaveLength(300)
    expect(rows[99]).toMatchObject({ id: 100n, score: 7, json: '{"leap":3}' })
  })

  test('--dry-run writes nothing', async () => {
    await deleteRows('id between 50 and 60')
    const run = await restore('clickhouse', '--into', 'log_scores', '--dry-run')
    expect(run).toMatchObject({ code: 0, stdout: expect.stringContaining('11 would be restored') })
    expect(await countOf(place.connection, 'log_scores')).toBe(289)
  })

  test.each([
    ['ids', ['--from', '11', '--to', '20'], (id: number) => id >= 11 && id <= 20],
    ['a time', ['--to', '2026-11-01T00:00:09'], (_: number, seconds: number) => seconds < 10],
    ['a day after all', ['--from', '2026-11-02'], () => false],
  ])('only %s', async (_, args, wanted) => {
    expect(await restore('fileavro', '--into', 'restored', ...args)).toMatchObject({ code: 0 })
    const rows = await tableRows(database.address, 'log_scores')
    const expected = rows.filter(({ id, tsSeconds }) => wanted(Number(id), tsSeconds - 1_793_491_200))
    expect(await tableRows(database.address, 'restored')).toEqual(expected)
  })

  test.each(['fileavro', 'clickhouse'])('only a server, from %s', async (archive) => {
    const [{ serverId } = { serverId: 0 }] = await tableRows(database.address, 'log_scores')
    expect(await restore(archive, '--into', 'restored', '--server', String(serverId))).toMatchObject({ code: 0 })
    const expected = (await tableRows(database.address, 'log_scores')).filter((row) => row.serverId === serverId)
    expect(await idsOf('restored')).toEqual(expected.map(({ id }) => Number(id)))
  })

  describe('marks', () => {
    test('end a restore where no end is given; an end beyond is refused, before anything is written', async () => {
      await deleteRows('id = 100')
      await place.connection.query(
        "update log_scores_archive_status set log_score_id = 150 where archiver = 'clickhouse'",
      )
      expect(await restore('fileavro', '--into', 'log_scores', '--yes')).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('150 rows of fileavro: 1 restored'),
      })
      await deleteRows('id = 100')
      const beyond = await restore('fileavro', '--into', 'log_scores', '--yes', '--to', '151')
      expect(beyond.code).toBe(1)
      expect(beyond.stderr).toContain('row 151 is above the mark of clickhouse, 150: it would be archived again')
      expect(await countOf(place.connection, 'log_scores')).toBe(299)
    })

    test('an archiver that has stored nothing would store everything', async () => {
      await place.connection.query("insert into log_scores_archive_status (archiver) values ('bigquery')")
      const run = await restore('fileavro', '--into', 'log_scores', '--yes')
      expect(run).toMatchObject({ code: 1, stderr: expect.stringContaining('above the mark of bigquery, none') })
    })

    test('hold in the transaction too: rows of a time beyond one are rolled back', async () => {
      await deleteRows('id = 299')
      await place.connection.query(
        "update log_scores_archive_status set log_score_id = 150 where archiver = 'clickhouse'",
      )
      const run = await restore('fileavro', '--into', 'log_scores', '--yes', '--to', '2026-11-01')
      expect(run).toMatchObject({ code: 1, stderr: expect.stringContaining('row 299 is above the mark of clickhouse') })
      expect(run.stderr).toContain('Run the same command again to go on')
      expect(await countOf(place.connection, 'log_scores')).toBe(299)
    })
  })

  test('a table that is archived needs --yes', async () => {
    await deleteRows('id = 100')
    const run = await restore('fileavro', '--into', 'log_scores')
    expect(run).toMatchObject({ code: 2, stderr: expect.stringContaining('add --yes') })
    expect(await countOf(place.connection, 'log_scores')).toBe(299)
  })

  test('rows past retention need --pause-cleanup where there is a cleaner', async () => {
    await place.reset(300, ['fileavro'])
    await place.connection.query('update log_scores set ts = utc_timestamp() - interval 40 day where id < 200')
    expect(await place.run('archive')).toMatchObject({ code: 0 })
    await place.connection.query("insert into log_scores_archive_status (archiver) values ('cleanup')")
    place.env.cleanup_max_lag = '0'
    await deleteRows('id = 100')
    const run = await restore('fileavro', '--into', 'log_scores', '--yes')
    expect(run).toMatchObject({ code: 1, stderr: expect.stringContaining('older than 15 days: the cleaner') })
    expect(await countOf(place.connection, 'log_scores')).toBe(299)
    const paused = await restore('fileavro', '--into', 'log_scores', '--yes', '--pause-cleanup')
    expect(paused).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('held up; later: archiver restore --resume'),
    })
    place.env.cleanup_default_interval = '0s'
    const held = await place.run('archive', '--only', 'cleanup')
    expect(held).toMatchObject({ code: 0 })
    expect(held.events.map(({ msg }) => msg).join('\n')).toMatch(
      /held up for a restore of fileavro by .*resume-cleanup/,
    )
    expect(await countOf(place.connection, 'log_scores')).toBe(300)
    const resumed = await place.run('restore', '--resume-cleanup', '--into', 'log_scores')
    expect(resumed).toMatchObject({ code: 0, stdout: 'the cleaner of log_scores goes on\n' })
  })

  describe('what cannot be', () => {
    test.each([
      ['no table', 'nowhere', '', /no table nowhere.*create table `nowhere` like `log_scores`/],
      ['no column', 'odd', 'alter table odd drop attributes, drop rtt', /no column rtt; it has no column attributes/],
      ['floats', 'odd', 'alter table odd modify score float', /column score is float, which would change values/],
      ['no key', 'odd', 'alter table odd modify id bigint unsigned not null, drop primary key', /no unique key on id/],
    ])('%s is named, and nothing is written', async (_, into, change, message) => {
      await place.connection.query('create table odd like log_scores')
      if (change !== '') await place.connection.query(change)
      const run = await restore('fileavro', '--into', into)
      expect(run).toMatchObject({ code: 1, stderr: expect.stringMatching(message) })
      expect(await countOf(place.connection, 'odd')).toBe(0)
    })

    test('a value that the table does not take rolls its rows back, and is named', async () => {
      await place.connection.query('create table odd like log_scores')
      await place.connection.query('alter table odd modify monitor_id int unsigned not null')
      const run = await restore('fileavro', '--into', 'odd')
      expect(run).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/odd does not take rows 1 to 300.*monitor_id/),
      })
      expect(await countOf(place.connection, 'odd')).toBe(0)
    })

    test('a file that breaks off: what comes before it is restored, and it says how to go on', async () => {
      const path = await fileOf(101)
      const whole = await readFile(path)
      await truncate(path, whole.length - 100)
      const run = await restore('fileavro', '--into', 'restored')
      expect(run.code).toBe(1)
      expect(run.stderr).toContain(`${path} is truncated: at byte`)
      expect(run.stderr).toContain('Run the same command again to go on')
      await writeFile(path, whole)
      expect(await restore('fileavro', '--into', 'restored')).toMatchObject({ code: 0 })
      expect(await idsOf('restored')).toHaveLength(300)
    })

    test('a file of another record, and one whose rows are in another file too', async () => {
      const path = await fileOf(101)
      const whole = await readFile(path)
      await writeFile(path, Buffer.from(whole.toString('latin1').replace('"server_id"', '"serverXid"'), 'latin1'))
      const foreign = await restore('fileavro', '--into', 'restored')
      expect(foreign).toMatchObject({ code: 1, stderr: expect.stringContaining('is not of the record logscore') })
      await writeFile(path, whole)
      await writeFile(join(place.folder, '1793491206-101.avro'.replace('1793491206', '1')), whole)
      const doubled = await restore('fileavro', '--into', 'restored')
      expect(doubled.code).toBe(1)
      expect(doubled.stdout).toContain('fileavro holds 100 rows twice: ids 101, 102,')
      expect(await idsOf('restored')).toHaveLength(300)
    })

    test('a row that is there twice and not the same', async () => {
      await place.clickhouse.query(
        'insert into log_scores select dt, id, monitor_id, server_id, ts, score + 1, step, offset, rtt, leap, warning, error from log_scores where id = 200',
      )
      const run = await restore('clickhouse', '--into', 'restored')
      expect(run).toMatchObject({ code: 1, stderr: expect.stringMatching(/holds row 200 twice, different in score/) })
      expect(run.stderr).toMatch(/--to 199, then --from 201/)
    })

    test.each([
      ['no archive', ['tape', '--into', 'restored'], 'there is no archive tape'],
      ['no archive at all', ['--into', 'restored'], 'name the archive'],
      ['no table', ['fileavro'], 'into'],
      ['a name that is none', ['fileavro', '--into', 'a b'], 'is no table of letters'],
      ['no server', ['fileavro', '--into', 'restored', '--server', 'x'], '--server'],
    ])('%s', async (_, args, words) => {
      const run = await place.run('restore', ...args)
      expect(run).toMatchObject({ code: 2, stderr: expect.stringContaining(words) })
    })
  })
})
