import { describeWithMySql } from '@archiver/testkit/vitest'
import { expect, test } from 'vitest'
import { MySqlLock } from './lock.js'

await describeWithMySql('lock', (database) => {
  const take = (name: string, timeoutMs = 0) => MySqlLock.take({ settings: database.address, name, timeoutMs })

  test('is held by one at a time, and the second is told by whom', async () => {
    await using lock = await take('archiver-one')
    lock.check()
    const refused = take('archiver-one')
    await expect(refused).rejects.toThrow(/held by connection \d+, user \w+, host \S+/)
    await expect(refused).rejects.toMatchObject({ code: 'LOCK_HELD' })
    await using _other = await take('archiver-two')
  })

  test('is free again once it is let go', async () => {
    await (await take('archiver-again'))[Symbol.asyncDispose]()
    await using _ = await take('archiver-again')
  })

  test('is waited for as long as asked', async () => {
    const first = await take('archiver-wait')
    const second = take('archiver-wait', 30_000)
    await first[Symbol.asyncDispose]()
    await using _ = await second
  })

  test('a killed connection is a lost lock', async () => {
    await using lock = await take('archiver-killed')
    const lost = new Promise((resolve) => lock.signal.addEventListener('abort', resolve))
    const killer = await database.connect()
    await killer.query(`kill ${lock.connection.threadId}`)
    await lost
    expect(() => lock.check()).toThrow('the lock archiver-killed was lost')
    await killer.end()
  })
})
