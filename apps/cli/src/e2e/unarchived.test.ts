import type { ServiceStatus } from '@archiver/service'
import { describeWithMySql } from '@archiver/testkit/vitest'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Workplace } from './workplace.js'

await describeWithMySql('what no archive keeps', (database) => {
  let place: Workplace
  beforeAll(async () => {
    place = await Workplace.open(database)
  })
  beforeEach(async () => {
    await place.reset(100, ['fileavro', 'cleanup'])
    await place.connection.query(`update log_scores set attributes = '{"kod":"RATE"}' where id in (7, 9)`)
    place.env.cleanup_default_interval = '0s'
    place.env.cleanup_reduced_interval = '0s'
    place.env.retention_days = '1'
    place.env.cleanup_max_lag = '0'
  })
  afterAll(() => place.close())

  const status = async () => JSON.parse((await place.run('status', '--json')).stdout) as ServiceStatus // the contract
  const warningsOf = (events: readonly { readonly event: string; readonly msg: string }[]) =>
    events.filter(({ event }) => event === 'batch.unarchived' || event === 'table.warning').map(({ msg }) => msg)

  test('a key is said once, and cleanup waits until it is acknowledged', async () => {
    place.env.batch_avro_max_size = '8'
    const run = await place.run('archive')
    expect(warningsOf(run.events)).toEqual([
      expect.stringContaining('no archive keeps the key of attributes kod: 1 rows of this batch'),
    ])
    expect(run.code).toBe(1)
    expect(run.stderr).toContain('2 old rows have the key of attributes kod')
    place.env.unarchived = 'kod'
    expect(await place.run('archive')).toMatchObject({ code: 0 })
  })

  test('a column, rows with low ids and a stamp of tomorrow are said, also by status', async () => {
    await place.connection.query('alter table log_scores add column nts int')
    await place.connection.query("set sql_mode = 'NO_AUTO_VALUE_ON_ZERO'")
    await place.connection.query('insert into log_scores (id, server_id, ts, score, step) values (0, 1, now(), 1, 1)')
    await place.connection.query(
      "update log_scores_archive_status set modified_on = now() + interval 1 day where archiver = 'fileavro'",
    )
    place.env.batch_avro_interval = '1h'
    const said = [
      expect.stringContaining('row 0 of log_scores can never be archived'),
      expect.stringContaining('no archive keeps the column nts of log_scores'),
      expect.stringMatching(/fileavro: modified_on .* is \d+ s ahead of the clock/),
    ]
    expect((await status()).warnings.map(({ message }) => message)).toEqual(said)
    expect((await place.run('status')).stdout).toContain('row 0 of log_scores can never be archived')
    const run = await place.run('archive', '--only', 'fileavro')
    expect(run.code).toBe(0)
    expect(warningsOf(run.events).slice(0, 3)).toEqual(said)
    expect(await place.marks()).toMatchObject({ fileavro: 100 })
    place.env.unarchived = 'ok'
    await place.connection.query('delete from log_scores where id = 0')
    expect((await status()).warnings).toEqual([])
  })

  test('avro_schema=2 keeps the keys: nothing is said of them, and cleanup deletes', async () => {
    place.env.avro_schema = '2'
    const run = await place.run('archive')
    expect(warningsOf(run.events)).toEqual([])
    expect(run.code).toBe(0)
    expect(run.stderr).toContain('99 rows deleted')
    const texts = []
    for (const { json } of await place.fileRows()) texts.push(json)
    expect(texts.filter((text) => text === '{"kod":"RATE"}')).toHaveLength(2)
  })
})
