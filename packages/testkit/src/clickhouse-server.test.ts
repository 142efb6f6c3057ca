import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { startClickHouse } from './clickhouse-server.js'
import { createClickHouseDatabase } from './database.js'
import { ServiceUnavailable } from './errors.js'
import { skipOrFail } from './skip-or-fail.js'

const server = await startClickHouse().catch((thrown: unknown) => skipOrFail(thrown))

test.skipIf(server instanceof ServiceUnavailable)('a private server answers, restarts and ends', async () => {
  if (server instanceof ServiceUnavailable) throw server
  const database = await createClickHouseDatabase(server)
  await database.query('create table t (n UInt8) engine = MergeTree order by n')
  await database.query('insert into t values (7)')
  await server.process.restart('SIGKILL')
  expect(await database.query('select n from t')).toBe('7\n')
  expect(await server.query('select version()')).toContain(server.version)
  await expect(server.query('select nonsense')).rejects.toThrow('nonsense')
  await database.drop()
  await expect(database.query('select 1')).rejects.toThrow(database.name)

  const native = connect(server.tcpPort, server.host)
  await once(native, 'connect')
  native.destroy()
  const { pid } = server.process
  await server.stop()
  await expect(stat(`/proc/${pid}`)).rejects.toThrow('ENOENT')
})
