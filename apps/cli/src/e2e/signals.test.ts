import { readdir } from 'node:fs/promises'
import { MySqlLock } from '@archiver/core/mysql'
import { describeWithMySql } from '@archiver/testkit/vitest'
import type { RowDataPacket } from 'mysql2/promise'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Workplace } from './workplace.js'

await describeWithMySql('a signal in the middle of a batch', (database) => {
  let place: Workplace
  beforeAll(async () => {
    place = await Workplace.open(database)
  })
  beforeEach(async () => {
    await place.reset(100)
    place.env.batch_avro_max_size = '40'
    place.env.archive_settle = '0s'
    place.env.NODE_OPTIONS = `--import=${new URL('./strike.mjs', import.meta.url).href}`
    place.env.STRIKE_AT = 'store.chunk'
    place.env.STRIKE_MS = '0'
  })
  afterAll(() => place.close())

  const states = async () => {
    const [rows] = await place.connection.query<RowDataPacket[]>('select state from log_scores_archive_batch')
    return rows.map(({ state }) => state as string)
  }
  const takeLock = () => MySqlLock.take({ settings: database.address, name: `archiver-${database.name}`, timeoutMs: 0 })

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ])('%s: the batch in hand is finished, no other begun, exit %i', async (signal, code) => {
    place.env.STRIKE_WITH = signal
    const run = await place.run('archive', '--only', 'fileavro')
    expect(run.code).toBe(code)
    expect(run.stderr).toContain(`${signal}: stopping after the batch in hand, in 25 s at the latest`)
    expect(await states()).toEqual(['done'])
    expect(await place.marks()).toMatchObject({ fileavro: 40 })
    expect((await readdir(place.folder)).filter((name) => !name.endsWith('.avro'))).toEqual([])
    await using _ = await takeLock()
  })

  test('what is not finished within shutdown_timeout is left planned, and finished by the next run', async () => {
    Object.assign(place.env, { STRIKE_WITH: 'SIGTERM', STRIKE_MS: '1000', shutdown_timeout: '100ms' })
    const run = await place.run('archive', '--only', 'fileavro')
    expect(run.code).toBe(143)
    expect(run.stderr).toContain('stopped by SIGTERM')
    expect(await states()).toEqual(['planned'])
    expect(await readdir(place.folder)).toEqual([])
    await using lock = await takeLock()
    await lock[Symbol.asyncDispose]()
    delete place.env.NODE_OPTIONS
    expect(await place.run('archive', '--only', 'fileavro')).toMatchObject({ code: 0 })
    expect(await place.fileRows()).toHaveLength(100)
  })

  test('a second signal ends it at once', async () => {
    Object.assign(place.env, { STRIKE_WITH: 'SIGTERM,SIGTERM', STRIKE_MS: '60000' })
    const run = await place.run('archive', '--only', 'fileavro')
    expect(run.code).toBe(143)
    expect(await states()).toEqual(['planned'])
  })
})
