import { readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describeWithMySql, sharedClickHouse } from '@archiver/testkit/vitest'
import type { RowDataPacket } from 'mysql2/promise'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Workplace } from './workplace.js'

const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1)

await describeWithMySql('what an operator does by hand', { clickhouse: sharedClickHouse }, (database) => {
  let place: Workplace
  beforeAll(async () => {
    place = await Workplace.open(database)
  })
  beforeEach(async () => {
    await place.reset(100)
    place.env.batch_avro_max_size = '40'
    place.env.batch_ch_max_size = '40'
    place.env.archive_settle = '0s'
  })
  afterAll(() => place.close())

  const fileIds = async () => (await place.fileRows()).map(({ id }) => Number(id)).sort((a, b) => a - b)
  const setMark = (archiver: string, id: number | null) =>
    place.connection.query('update log_scores_archive_status set log_score_id = ? where archiver = ?', [id, archiver])

  describe('a mark that was set back by SQL', () => {
    test.each([
      ['to a batch boundary', 40],
      ['into the middle of a batch', 57],
      ['to nothing', null],
    ])('%s: nothing is stored twice', async (_, id) => {
      await place.run('archive')
      for (const archiver of ['fileavro', 'clickhouse']) await setMark(archiver, id)
      place.env.batch_avro_max_size = '33'
      place.env.batch_ch_max_size = '7'
      const run = await place.run('archive')
      expect(run).toMatchObject({ code: 0 })
      expect(run.events.filter(({ event }) => event === 'mark.moved')).toHaveLength(2)
      expect(await fileIds()).toEqual(upTo(100))
      expect(await place.clickhouseIds()).toEqual(upTo(100))
      expect(await place.marks()).toEqual({ fileavro: 100, clickhouse: 100 })
    })

    test('what is missing from the archive is stored again', async () => {
      await place.run('archive')
      const [{ identity }] = (
        await place.connection.query<RowDataPacket[]>(
          "select identity from log_scores_archive_batch where archiver = 'fileavro' and first_id = 41",
        )
      )[0] as [RowDataPacket]
      await unlink(join(place.folder, String(identity)))
      await setMark('fileavro', 40)
      await place.run('archive', '--only', 'fileavro')
      expect(await fileIds()).toEqual(upTo(100))
    })
  })

  test('a mark that was set forward by SQL is accepted and said', async () => {
    await setMark('clickhouse', 30)
    const run = await place.run('archive', '--only', 'clickhouse')
    expect(run.stderr).toContain('the mark was moved from none to 30 by someone else')
    expect(await place.clickhouseIds()).toEqual(upTo(100).slice(30))
    await setMark('clickhouse', null)
    await place.run('archive', '--only', 'clickhouse')
    expect(await place.clickhouseIds()).toEqual(upTo(100))
  })

  test('archiver mark shows what it means, moves the mark and keeps a record', async () => {
    await place.run('archive')
    const asked = await place.run('mark', 'clickhouse', '--set', '40', '--reason', 'disk lost')
    expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining('add --yes') })
    expect(await place.marks()).toMatchObject({ clickhouse: 100 })
    const moved = await place.run('mark', 'clickhouse', '--set', '40', '--reason', 'disk lost', '--yes')
    expect(moved.stdout).toContain('The catalogue has 2 batches with 60 rows above 40')
    expect(moved.stdout).toContain('clickhouse: the mark is at 40 now')
    const [rows] = await place.connection.query<RowDataPacket[]>(
      "select after_id, up_to_id, identity, host from log_scores_archive_batch where state = 'moved'",
    )
    expect(rows).toMatchObject([
      { after_id: 100, up_to_id: 40, identity: 'disk lost', host: expect.stringContaining('@') },
    ])
    await place.run('archive')
    expect(await place.clickhouseIds()).toEqual(upTo(100))
  })

  test.each([
    ['an id that is none', ['mark', 'clickhouse', '--set', 'x', '--reason', 'r', '--yes'], 2, 'is no id'],
    ['no reason', ['mark', 'clickhouse', '--set', '5', '--yes'], 2, 'reason'],
    ['an empty reason', ['mark', 'clickhouse', '--set', '5', '--reason', ' ', '--yes'], 2, '--reason: say why'],
    [
      'a row that is not there',
      ['mark', 'clickhouse', '--set', '5000', '--reason', 'r', '--yes'],
      1,
      'log_scores has no row with this id. Name the id of a row that is there',
    ],
    ['an archiver that is off', ['mark', 'bigquery', '--set', '5', '--reason', 'r', '--yes'], 1, 'has no row in'],
    ['a row to skip that is not there', ['skip', 'clickhouse', '5000', '--reason', 'r'], 1, 'there is no row 5000'],
  ])('%s', async (_, args, code, words) => {
    const run = await place.run(...args)
    expect(run.code).toBe(code)
    expect(run.stderr).toContain(words)
    expect(await place.marks()).toEqual({ fileavro: null, clickhouse: null })
  })

  test('archiver skip takes out one row, keeps it in full, and the rest goes on', async () => {
    await place.connection.query('update log_scores set score = 1e300 where id = 60')
    expect((await place.run('archive')).code).toBe(1)
    for (const archiver of ['fileavro', 'clickhouse']) {
      expect(await place.run('skip', archiver, '60', '--reason', 'fits no float')).toMatchObject({ code: 0 })
    }
    expect(await place.run('archive')).toMatchObject({ code: 0 })
    const without60 = upTo(100).filter((id) => id !== 60)
    expect(await fileIds()).toEqual(without60)
    expect(await place.clickhouseIds()).toEqual(without60)
    const lines = (await readFile(join(place.folder, 'log_scores-skipped.ndjson'), 'utf8')).trim().split('\n')
    expect(JSON.parse(lines[0]!)).toMatchObject({
      archiver: 'fileavro',
      id: '60',
      reason: 'fits no float',
      row: { score: 1e300 },
    })
    const [kept] = await place.connection.query('select archiver, row_id from log_scores_archive_skip order by id')
    expect(kept).toMatchObject([
      { archiver: 'fileavro', row_id: 60 },
      { archiver: 'clickhouse', row_id: 60 },
    ])
    expect((await place.run('skip', 'clickhouse', '60', '--reason', 'again')).code).toBe(1)
  })
})
