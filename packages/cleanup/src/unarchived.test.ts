import type { LogScoreChunk } from '@archiver/core'
import { describeWithMySql } from '@archiver/testkit/vitest'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { describeBlocked, needsOperator } from './index.js'
import { Workbench } from './testing/workbench.js'

await describeWithMySql('rows with something that no archive keeps', (database) => {
  let bench: Workbench
  beforeEach(async () => {
    bench = await Workbench.open(database)
    await bench.insert(100, 20)
    await bench.query(`update ${bench.table} set attributes = '{"leap":1,"from_ls_id":5,"stratum":2}' where id < 50`)
  })
  afterEach(() => bench[Symbol.asyncDispose]())

  const blocked = async (policy = {}) => {
    const { rows, end } = await bench.clean({ policy })
    return { rows, blocked: 'blocked' in end ? end.blocked : null }
  }

  test('keys that mean nothing to the archives are no reason to wait', async () => {
    await bench.archiveAll(100n)
    expect(await blocked()).toEqual({ rows: 99, blocked: null })
  })

  test('a key: nothing is deleted until it is acknowledged, by name or altogether', async () => {
    await bench.query(`update ${bench.table} set attributes = '{"error":"x","kod":"RATE"}' where id in (7, 9)`)
    await bench.archiveAll(100n)
    const waits = await blocked()
    expect(waits).toEqual({ rows: 0, blocked: { reason: 'unarchived', columns: [], keys: ['kod'], rows: 2 } })
    const { why, hint } = describeBlocked(waits.blocked!, bench.table)
    expect(why).toContain('2 old rows have the key of attributes kod')
    expect(hint).toContain('unarchived=kod')
    expect(needsOperator(waits.blocked!)).toBe(true)
    expect(await blocked({ unarchived: ['nts'] })).toMatchObject({ rows: 0 })
    expect(await blocked({ unarchived: ['kod'] })).toEqual({ rows: 99, blocked: null })
  })

  test('a key in a row that stays is no reason to wait', async () => {
    await bench.insertRow({ id: 101n, tsSeconds: Math.floor(Date.now() / 1000), attributes: '{"kod":1}' })
    await bench.archiveAll(101n)
    expect(await blocked()).toEqual({ rows: 100, blocked: null })
  })

  test('a column: nothing is deleted, whatever is in it; one that the server computes is none', async () => {
    await bench.query(`alter table ${bench.table} add column day date as (date(ts)) stored`)
    await bench.query(`alter table ${bench.table} add column nts int`)
    await bench.archiveAll(100n)
    expect(await blocked()).toMatchObject({ rows: 0, blocked: { reason: 'unarchived', columns: ['nts'], rows: 99 } })
    expect(await blocked({ unarchived: 'ok' })).toEqual({ rows: 99, blocked: null })
  })

  test('a key is no reason to wait where an archive holds the text of every such row', async () => {
    await bench.query(`update ${bench.table} set attributes = '{"kod":"RATE"}' where id in (7, 9)`)
    await bench.archiveAll(100n)
    const reader = bench.shelf().reader
    const read = reader.read.bind(reader)
    /** As an archive gives back what it keeps letter by letter, up to an id. */
    const keepTextsUpTo = (id: bigint) => {
      reader.read = async function* (...range) {
        for await (const chunk of read(...range)) {
          const exact = chunk.id[chunk.rows - 1]! <= id
          yield { ...chunk, ...(exact ? withTexts(chunk) : {}) }
        }
      }
    }
    keepTextsUpTo(50n)
    expect(await blocked()).toMatchObject({ rows: 0, blocked: { reason: 'unarchived' } })
    keepTextsUpTo(200n)
    expect(await blocked()).toEqual({ rows: 99, blocked: null })
  })

  test.each(['json', 'mediumblob'])('a key in attributes of type %s', async (type) => {
    await bench.query(`update ${bench.table} set attributes = '{"kod":"RATE"}' where id = 7`)
    await bench.query(`update ${bench.table} set attributes = null where attributes = ''`)
    await bench.query(`alter table ${bench.table} modify attributes ${type}`)
    await bench.archiveAll(100n)
    expect(await blocked()).toMatchObject({ rows: 0, blocked: { reason: 'unarchived', keys: ['kod'] } })
  })

  test('an empty table is no failure, whatever the marks', async () => {
    await bench.query(`delete from ${bench.table}`)
    expect(await bench.clean()).toMatchObject({ rows: 0, ranges: 0, end: { why: 'empty' } })
    expect(await bench.clean({ policy: { intervalMs: 60_000, reducedIntervalMs: 60_000 } })).toMatchObject({
      end: { why: 'not-due' },
    })
  })

  test('a stamp ahead of the server’s clock is due', async () => {
    await bench.archiveAll(100n)
    await bench.query(
      `update ${bench.table}_archive_status set modified_on = now() + interval 1 day where archiver = 'cleanup'`,
    )
    const policy = { intervalMs: 60_000, reducedIntervalMs: 60_000 }
    expect(await bench.clean({ policy })).toMatchObject({ rows: 99 })
    expect(await bench.clean({ policy })).toMatchObject({ end: { why: 'not-due' } })
  })
})

function withTexts({ dictionary }: LogScoreChunk): Partial<LogScoreChunk> {
  return { exact: true, dictionary: dictionary.map((entry) => ({ ...entry, json: '{"kod":"RATE"}' })) }
}
