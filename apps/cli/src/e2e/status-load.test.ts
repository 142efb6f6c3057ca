import { createDatabase, freePort, LoggingProcess } from '@archiver/testkit'
import { describeWithOwnMySql, sharedClickHouse } from '@archiver/testkit/vitest'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { expect, test } from 'vitest'
import { launcher } from './run-cli.js'
import { Workplace } from './workplace.js'

async function questions(connection: Connection): Promise<number> {
  const [rows] = await connection.query<RowDataPacket[]>("show global status like 'Questions'")
  return Number(rows[0]!.Value)
}

await describeWithOwnMySql(
  'a service that is asked a thousand times',
  (server) => {
    test('asks MySQL for none of it', async () => {
      const place = await Workplace.open(await createDatabase(server))
      await place.reset(1_000, ['clickhouse'])
      const http_listen = `127.0.0.1:${await freePort()}`
      const env = { ...place.env, http_listen, run_interval: '1h' }
      const cli = new LoggingProcess({ command: launcher, args: ['run'], env })
      try {
        await cli.event('archiver.done', ({ rows }) => rows === 1_000)
        const before = await questions(place.connection)
        for (let i = 0; i < 1_000; i++) {
          const path = ['/metrics', '/api/status', '/api/history', '/readyz', '/'][i % 5]!
          const response = await fetch(`http://${http_listen}${path}`)
          expect([path, response.status]).toEqual([path, 200])
          await response.arrayBuffer()
        }
        // The lock is looked after meanwhile, and a thing or two is finished.
        expect((await questions(place.connection)) - before).toBeLessThan(200)
      } finally {
        await cli.end('SIGKILL')
        await place.close()
      }
    })
  },
  { needs: { clickhouse: sharedClickHouse } },
)
