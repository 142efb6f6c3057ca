import { createClickHouseArchiver } from '@archiver/clickhouse'
import { describeWithMySql, sharedClickHouse } from '@archiver/testkit/vitest'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { runHeldUp } from './held-up.js'
import { onePass } from './pass.js'
import { Site } from './site.js'
import { TcpProxy } from './tcp-proxy.js'

/** Scaled: how long a request may go without a byte (`read_timeout`), 5 minutes by default. */
const READ_TIMEOUT = '400ms'

await describeWithMySql('a ClickHouse that stalls', { clickhouse: sharedClickHouse }, (database, { clickhouse }) => {
  let site: Site
  let proxy: TcpProxy
  beforeAll(async () => {
    site = await Site.open(database, clickhouse)
    await site.fill(1_000, ['clickhouse'])
    proxy = await TcpProxy.to(site.clickhouse.server.httpPort)
  })
  beforeEach(() => site.empty(['clickhouse']))
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]()
    await site.close()
  })

  const dsn = () => `http://default:@127.0.0.1:${proxy.port}/${site.clickhouse.name}?read_timeout=${READ_TIMEOUT}`

  test.each([
    ['in the middle of an insert', 'both', 'clickhouse.sending'],
    ['and takes an insert without an answer', 'answers', 'clickhouse.sending'],
    ['before an insert', 'both', 'store.before'],
  ] as const)('%s: tried again, and stored once', async (_, which, point) => {
    const env = { ...site.env, ch_dsn: dsn(), batch_ch_max_size: '400' }
    const run = await runHeldUp(env, { point, pass: 2 }, () => {
      proxy.silence(which)
      setTimeout(() => proxy.restore(), 1_500)
    })
    expect(run.events.map(({ event }) => event)).toContain('archiver.retrying')
    expect(run).toMatchObject({ code: 0 })
    expect(await site.problems('clickhouse')).toEqual([])
  })

  // Scaled: the tries, 15 s in all by default.
  test('longer than it is tried again: the archiver fails, and the next pass stores once', async () => {
    const retry = { attempts: 3, firstDelayMs: 50, maxDelayMs: 100 }
    const batch = { minRows: 1, maxRows: 400, intervalMs: 0 }
    await using archiver = createClickHouseArchiver({ dsn: dsn(), batch, takeoverWaitMs: 300 })
    const silenced = await onePass({
      database,
      archiver,
      retry,
      watchSource: (source) => {
        proxy.silence('answers')
        return source
      },
    })
    expect([...silenced.failed.values()]).toMatchObject([{ code: 'CLICKHOUSE_UNREACHABLE', retryable: true }])
    proxy.restore()
    expect((await onePass({ database, archiver, retry })).failed.size).toBe(0)
    expect(await site.problems('clickhouse')).toEqual([])
  })
})
