import { setTimeout as delay } from 'node:timers/promises'
import { insertRows, within } from '@archiver/testkit'
import { describeWithMySql, sharedClickHouse } from '@archiver/testkit/vitest'
import type { RowDataPacket } from 'mysql2/promise'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cli, runCli } from './cli.js'
import { oddRows } from './rows.js'
import { Dice } from './schedule/random.js'
import { Site } from './site.js'

const KILLS = 30
const RUN_LIMIT_MS = 300_000

/** As the program is used, with small batches; scaled: `archive_takeover_wait`, 2 s by default. */
const SETTINGS = {
  batch_avro_max_size: '60',
  batch_ch_max_size: '40',
  batch_avro_append_size: '20',
  archive_takeover_wait: '1s',
  archive_settle: '3s',
  db_lock_timeout: '10s',
}

await describeWithMySql(
  'the built program, killed at random moments',
  { clickhouse: sharedClickHouse },
  (database, { clickhouse }) => {
    let site: Site
    beforeAll(async () => {
      site = await Site.open(database, clickhouse)
      await site.fill(12_000)
    })
    afterAll(() => site.close())

    // Each run has its limit, the test has none.
    test(`${KILLS} times while rows arrive: every archive holds every row once`, { timeout: 0 }, async () => {
      const dice = new Dice(25)
      const env = { ...site.env, ...SETTINGS }
      const working = new AbortController()
      const arriving = arrive(working.signal)
      const unfinished: string[] = []
      let killed = 0
      while (killed < KILLS) {
        const cli = new Cli(env)
        // Counted from its first word: on a busy machine it takes longer to start than it is given to live.
        let timer: NodeJS.Timeout | undefined
        const lifeMs = dice.between(20, 1_100)
        cli.child.stderr?.once('data', () => {
          timer = setTimeout(() => cli.child.kill('SIGKILL'), lifeMs)
        })
        const { signal, code, stderr } = await within(RUN_LIMIT_MS, `the run until kill ${killed + 1}`, cli.done)
        clearTimeout(timer)
        if (signal !== 'SIGKILL') expect({ code, stderr }).toMatchObject({ code: 0 })
        else {
          killed++
          unfinished.push(...(await planned()))
        }
      }
      working.abort()
      await arriving
      expect(await runCli(env)).toMatchObject({ code: 0 })
      console.log(`${KILLS} kills left these batches unfinished: ${counted(unfinished)}`)
      expect(new Set(unfinished)).toEqual(new Set(['fileavro', 'clickhouse']))
      expect(await site.problems('fileavro')).toEqual([])
      expect(await site.problems('clickhouse')).toEqual([])
    })

    async function planned(): Promise<string[]> {
      const sql = "select archiver from log_scores_archive_batch where state = 'planned'"
      const [rows] = await site.connection.query<RowDataPacket[]>(sql)
      return rows.map(({ archiver }) => archiver)
    }

    function counted(words: readonly string[]): string {
      return [...Map.groupBy(words, (word) => word)].map(([word, { length }]) => `${word} ${length}`).join(', ')
    }

    async function arrive(signal: AbortSignal): Promise<void> {
      for (let firstId = 12_001n; !signal.aborted; firstId += 100n) {
        await insertRows(site.connection, 'log_scores', oddRows({ rows: 100, firstId, seed: Number(firstId) }))
        await delay(100)
      }
    }
  },
)
