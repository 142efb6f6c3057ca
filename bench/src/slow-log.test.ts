import { createDatabase } from '@archiver/testkit'
import { describeWithOwnMySql } from '@archiver/testkit/vitest'
import { expect, test } from 'vitest'
import { longestStatementOf } from './slow-log.js'

await describeWithOwnMySql('the log of statements', (server) => {
  test('the longest of the sessions that begin meanwhile is found, and nothing of the others', async () => {
    const database = await createDatabase(server)
    const connection = await database.connect()
    const { result, longest } = await longestStatementOf(connection, async () => {
      const session = await database.connect()
      await session.query('select 1')
      await session.query('select sleep(0.2) as  nap')
      await connection.query('select sleep(0.4)')
      session.destroy()
      return 7
    })
    expect(result).toBe(7)
    expect(longest?.text).toBe('select sleep(0.2) as nap')
    expect(longest?.elapsedMs).toBeGreaterThanOrEqual(200)
    expect(longest?.elapsedMs).toBeLessThan(400)
    connection.destroy()
  })
})
