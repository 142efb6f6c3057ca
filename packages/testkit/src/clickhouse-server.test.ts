import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { createClickHouseDatabase } from './database.js'
import { describeWithOwnClickHouse } from './vitest.js'

await describeWithOwnClickHouse('a server of one’s own', (server) => {
  test('answers over HTTP, and says what is wrong', async () => {
    expect(await server.query('select version()')).toContain(server.version)
    await expect(server.query('select nonsense')).rejects.toThrow('nonsense')
  })

  test('listens for the native protocol', async () => {
    const native = connect(server.tcpPort, server.host)
    await once(native, 'connect')
    native.destroy()
  })

  test('keeps its port and its rows when it is killed and restarted', async () => {
    const database = await createClickHouseDatabase(server)
    await database.query('create table t (n UInt8) engine = MergeTree order by n')
    await database.query('insert into t values (7)')
    await server.process.restart('SIGKILL')
    expect(await database.query('select n from t')).toBe('7\n')
    await database.drop()
    await expect(database.query('select 1')).rejects.toThrow(database.name)
  })

  test('is gone after stop()', async () => {
    const { pid } = server.process
    await server.stop()
    await expect(stat(`/proc/${pid}`)).rejects.toThrow('ENOENT')
  })
})
