import { MySqlLock } from '@archiver/mysql'
import { describeWithMySql, sharedClickHouse } from '@archiver/testkit/vitest'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type CliResult, runCli } from './cli.js'
import { runHeldUp } from './held-up.js'
import { Site } from './site.js'

await describeWithMySql(
  'a signal in the middle of a batch',
  { clickhouse: sharedClickHouse },
  (database, { clickhouse }) => {
    let site: Site
    beforeAll(async () => {
      site = await Site.open(database, clickhouse)
      await site.fill(1_000)
    })
    afterAll(() => site.close())

    const settings = { batch_avro_max_size: '400', batch_ch_max_size: '400', batch_avro_append_size: '50' }
    const place = {
      fileavro: { point: 'file.written', pass: 12 },
      clickhouse: { point: 'clickhouse.sending', pass: 2 },
    } as const

    describe.each(['fileavro', 'clickhouse'] as const)('%s', (archiver) => {
      beforeEach(() => site.empty([archiver]))

      const env = (more = {}) => ({ ...site.env, ...settings, ...more })

      async function expectOrderlyEnd(run: CliResult, code: number, mark: number): Promise<void> {
        expect(run).toMatchObject({ code, signal: null })
        expect(await site.marks()).toEqual({ [archiver]: mark })
        expect(await site.leftovers()).toEqual([])
        const name = `archiver-${database.name}`
        await (await MySqlLock.take({ settings: database.address, name, timeoutMs: 2_000 }))[Symbol.asyncDispose]()
        expect(await runCli(env())).toMatchObject({ code: 0 })
        expect(await site.problems(archiver)).toEqual([])
      }

      test.each([
        ['SIGTERM', 143],
        ['SIGINT', 130],
      ] as const)('%s: the batch in hand is finished, exit %i', async (signal, code) => {
        const run = await runHeldUp(env(), place[archiver], (cli) => void cli.child.kill(signal))
        await expectOrderlyEnd(run, code, 800)
      })

      test('past shutdown_timeout: the batch is left planned, exit 143', async () => {
        const run = await runHeldUp(env({ shutdown_timeout: '0s' }), place[archiver], async (cli) => {
          cli.child.kill('SIGTERM')
          await new Promise((resolve) => setTimeout(resolve, 300))
        })
        await expectOrderlyEnd(run, 143, 400)
      })

      test('a second signal: at once', async () => {
        const run = await runHeldUp(env(), place[archiver], async (cli) => {
          cli.child.kill('SIGTERM')
          await new Promise((resolve) => cli.child.stderr?.once('data', resolve))
          cli.child.kill('SIGTERM')
          await cli.done
        })
        expect(run).toMatchObject({ code: 143 })
        expect(await site.marks()).toEqual({ [archiver]: 400 })
        expect(await runCli({ ...env(), db_lock_timeout: '20s' })).toMatchObject({ code: 0 })
        expect(await site.problems(archiver)).toEqual([])
      })
    })
  },
)
