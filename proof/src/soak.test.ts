import { setTimeout as delay } from 'node:timers/promises'
import { describeWithMySql, sharedClickHouse } from '@archiver/testkit/vitest'
import { describe, expect, test } from 'vitest'
import { Arrivals, startService } from './service-process.js'
import { Site } from './site.js'

/** As it is by default: real time. */
const RUN_INTERVAL_MS = 10_000
const ROWS_PER_SECOND = 2_000
const MINUTES = Number(process.env.SOAK_MINUTES ?? 10)
/** Until then memory may grow: code is compiled, connections are opened, the heap finds its size. */
const WARM_UP_PART = 0.3
const MOST_GROWTH_BYTES = 12_000_000

function percentile(values: readonly number[], part: number): number {
  return [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))]!
}

/** Opt-in, since it takes its time: `SOAK=1`, and `SOAK_MINUTES` for more or fewer of them. */
describe.skipIf(process.env.SOAK !== '1')('a service under constant inserts', async () => {
  await describeWithMySql('in real time', { clickhouse: sharedClickHouse }, (database, { clickhouse }) => {
    test(
      `lags less than twice the poll interval for ${MINUTES} minutes, in flat memory`,
      async () => {
        const site = await Site.open(database, clickhouse)
        await site.fill(1_000, ['clickhouse', 'fileavro'])
        const service = startService({
          ...site.env,
          run_interval: `${RUN_INTERVAL_MS}ms`,
          archive_takeover_wait: '2s',
          batch_ch_min_size: '50',
          batch_avro_min_size: '10000',
          batch_avro_interval: '1m',
        })
        await service.event('archiver.done')
        const lags: number[] = []
        const memory: number[] = []
        const startedMs = performance.now()
        const before = service.usage()
        {
          await using arrivals = await Arrivals.into(database, 1_001n, {
            rows: 200,
            intervalMs: (200 / ROWS_PER_SECOND) * 1000,
          })
          for (let look = 0; performance.now() - startedMs < MINUTES * 60_000; look++) {
            await delay(100)
            lags.push(...arrivals.lagsUpTo(BigInt((await site.marks()).clickhouse ?? 0)))
            if (look % 50 === 0) memory.push(service.usage().rssBytes)
          }
        }
        const elapsedMs = performance.now() - startedMs
        const cpuPart = (service.usage().cpuMs - before.cpuMs) / elapsedMs
        const warm = memory.slice(Math.floor(memory.length * WARM_UP_PART))
        const half = Math.floor(warm.length / 2)
        const [early, late] = [percentile(warm.slice(0, half), 0.5), percentile(warm.slice(half), 0.5)]
        const [rows] = await site.connection.query('select count(*) as n, max(id) as last from log_scores')
        const [{ n, last }] = rows as [{ n: number; last: number }]
        await expect.poll(async () => (await site.marks()).clickhouse, { timeout: 30_000 }).toBe(last)
        console.log(
          `${n} rows in ${Math.round(elapsedMs / 1000)} s; lag p50 ${Math.round(percentile(lags, 0.5))} ms, ` +
            `p99 ${Math.round(percentile(lags, 0.99))} ms, longest ${Math.round(percentile(lags, 1))} ms; ` +
            `CPU ${(cpuPart * 100).toFixed(1)}% of a core; memory ${Math.round(early / 1e6)} MB, then ${Math.round(late / 1e6)} MB, ` +
            `highest ${Math.round(percentile(memory, 1) / 1e6)} MB`,
        )
        expect(await service.end()).toBe(0)
        expect(service.events.filter(({ event }) => /failed|failing|retrying|lost/.test(event))).toEqual([])
        expect(percentile(lags, 1)).toBeLessThan(2 * RUN_INTERVAL_MS)
        expect(late - early).toBeLessThan(MOST_GROWTH_BYTES)
        const counts = await site.clickhouse.query('select count(), uniqExact(id), max(id) from log_scores format TSV')
        expect(counts.trim().split('\t').map(Number)).toEqual([n, n, last])
        await site.close()
      },
      MINUTES * 60_000 + 300_000,
    )
  })
})
