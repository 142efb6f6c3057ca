import { MySqlLock } from '@archiver/mysql'
import { createDatabase, type MySqlAddress } from '@archiver/testkit'
import { describeWithOwnMySql } from '@archiver/testkit/vitest'
import { expect, test } from 'vitest'
import { lockNames } from '../config/lock-name.js'

await describeWithOwnMySql(
  'on a server that stores names of databases in lower case',
  (server) => {
    const take = (address: MySqlAddress, database: string, table: string) => {
      const names = lockNames({ prefix: 'archiver-', database, table, defaultTable: 'log_scores' })
      return MySqlLock.take({ settings: { ...address, database }, ...names, timeoutMs: 0 })
    }

    // The archiver of a third database has the name that all databases share, so this does not keep the two apart.
    test.each(['log_scores', 'log_scores_test'])('two spellings of one database are one lock for %s', async (table) => {
      const third = (await createDatabase(server)).address
      const { address } = await createDatabase(server)
      await using _third = await take(third, third.database, table)
      await using lock = await take(address, address.database.toUpperCase(), table)
      expect(lock.name).toContain(address.database)
      await expect(take(address, address.database, table)).rejects.toMatchObject({ code: 'LOCK_HELD' })
      const capital = address.database.replace(/^./, (letter) => letter.toUpperCase())
      await expect(take(address, capital, table)).rejects.toMatchObject({ code: 'LOCK_HELD' })
    })
  },
  { serverArgs: ['--lower-case-table-names=1'] },
)
