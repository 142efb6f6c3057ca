import { expect, test } from 'vitest'
import { lagOf, watchedReplicas } from './replicas.js'
import { FlowControl } from './server-load.js'

test('a replica that reports no host hides no other, and cannot be asked', async () => {
  // MySQL's answer; MariaDB fills in the address of the connection.
  const rows = [
    { Server_Id: 17, Host: '', Port: 3306, Source_Id: 1, Replica_UUID: 'a' },
    { Server_Id: 18, Host: 'db2', Port: 3307, Source_Id: 1, Replica_UUID: 'b' },
  ]
  const query = (_: unknown, done: (error: null, answer: typeof rows) => void) => done(null, rows)
  const source = { query } as unknown as Parameters<typeof watchedReplicas>[0] // all that is asked of it
  const settings = { host: 'db1', port: 3306, user: 'u', password: '', database: 'd' }
  const watched = async (ignoredReplicas: readonly string[] = []) => {
    const found = await watchedReplicas(source, settings, { ignoredReplicas })
    return typeof found === 'string' ? [] : found
  }
  const [unnamed, other] = await watched()
  expect([unnamed?.name, other?.name]).toEqual(['server_id=17', 'db2:3307'])
  expect(await unnamed?.lag()).toMatchObject({ lagMs: null, why: expect.stringContaining('report_host') })
  expect((await watched(['server_id=17'])).map(({ name }) => name)).toEqual(['db2:3307'])
  expect((await watched(['db2'])).map(({ name }) => name)).toEqual(['server_id=17'])
  expect(await watched(['server_id=17', 'db2:3307'])).toEqual([])
})

test('the lag of a replica is that of its slowest channel, without the delay it was told to keep', () => {
  expect(lagOf([{ Seconds_Behind_Source: 3 }, { Seconds_Behind_Source: '7' }])).toEqual({ lagMs: 7_000 })
  expect(lagOf([{ Seconds_Behind_Master: 3_605, SQL_Delay: 3_600 }])).toEqual({ lagMs: 5_000 })
  expect(lagOf([{ Seconds_Behind_Master: 0 }, { Seconds_Behind_Master: null, Last_SQL_Error: 'duplicate' }])).toEqual({
    lagMs: null,
    why: 'replication does not run: duplicate',
  })
})

test('flow control counts from one look to the next; the first look has the average only', () => {
  const status = (pausedMs: number) =>
    new Map([
      ['wsrep_flow_control_paused_ns', String(pausedMs * 1e6)],
      ['wsrep_flow_control_paused', '0.02'],
    ])
  const flow = new FlowControl()
  expect(flow.share(status(5_000), 0)).toBe(0.02)
  expect(flow.share(status(5_300), 1_000)).toBeCloseTo(0.3)
  expect(flow.share(status(5_300), 2_000)).toBe(0)
  expect(new FlowControl().share(new Map(), 0)).toBe(0)
})
