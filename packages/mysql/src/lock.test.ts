import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { connectTo, createDatabase, type MySqlDatabase } from '@archiver/testkit'
import { describeWithMySql, describeWithOwnMySql } from '@archiver/testkit/vitest'
import type { RowDataPacket } from 'mysql2'
import { describe, expect, onTestFinished, test } from 'vitest'
import { run } from './connect.js'
import { MySqlLock } from './lock.js'
import { watchLockWaits } from './lock-waits.js'
import { FragileLink } from './testing/fragile-link.js'

await describeWithMySql('lock', (database) => {
  const take = (name: string, timeoutMs = 0) => MySqlLock.take({ settings: database.address, name, timeoutMs })

  test('is held by one at a time, and the second is told by whom', async () => {
    await using lock = await take('archiver-one')
    lock.assertHeld()
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
    expect(() => lock.assertHeld()).toThrow('the lock archiver-killed was lost')
    await killer.end()
  })

  describe('of several names', () => {
    const goName = `archiver-${database.name}`
    const sharedName = `archiver-scores_${database.name}`
    const shared = {
      name: sharedName,
      ofDatabase: (other: string) => [`archiver-${other}`],
      instead: `${goName}.scores`,
    }
    const names = { name: goName, others: [sharedName], shared }
    const other = { name: `${goName}.x`, others: [`archiver-x_${database.name}`], foreign: [goName] }
    const ours = [goName, sharedName, shared.instead]
    const settings = database.address
    const holderOf = async (name: string) => {
      const connection = await database.connect()
      const [rows] = await connection.query<RowDataPacket[]>('select is_used_lock(?) as id', [name])
      await connection.end()
      return rows[0]?.id
    }
    const goProgram = async (name: string, address = settings) => {
      const connection = await connectTo(address)
      await connection.query('select get_lock(?, 0)', [name])
      return connection
    }

    test('holds all of them in one session', async () => {
      await using lock = await MySqlLock.take({ settings, ...names, timeoutMs: 0 })
      expect([await holderOf(goName), await holderOf(sharedName)]).toEqual(Array(2).fill(lock.connection.threadId))
      await expect(take(sharedName)).rejects.toMatchObject({ code: 'LOCK_HELD' })
    })

    test.each([goName, sharedName])('is refused while a Go program holds %s, and holds nothing then', async (name) => {
      const go = await goProgram(name)
      await expect(MySqlLock.take({ settings, ...names, timeoutMs: 0 })).rejects.toThrow(`the lock ${name} is held by`)
      await go.end()
      await using _ = await MySqlLock.take({ settings, ...names, timeoutMs: 10_000 })
    })

    test('waits for all names no longer than asked', async () => {
      const go = await goProgram(sharedName)
      const startedMs = performance.now()
      await expect(MySqlLock.take({ settings, ...names, timeoutMs: 1_000 })).rejects.toThrow('is held by')
      expect(performance.now() - startedMs).toBeGreaterThan(900)
      await go.end()
    })

    test('losing one of them is losing the lock', async () => {
      const times = { sessionWaitS: 8, pingIntervalMs: 50, lifeMs: 6_000 }
      await using lock = await MySqlLock.take({ settings, ...names, timeoutMs: 0, times })
      const lost = new Promise((resolve) => lock.signal.addEventListener('abort', resolve))
      lock.connection.query('select release_lock(?)', [sharedName])
      await lost
      expect(() => lock.assertHeld()).toThrow('the server says that this connection does not have it')
    })

    test('of another table: beside ours, and not beside a Go program', async () => {
      const takeOther = (timeoutMs = 0) => MySqlLock.take({ settings, ...other, ours, timeoutMs })
      {
        await using _both = await MySqlLock.take({ settings, ...names, timeoutMs: 10_000 })
        await using _beside = await takeOther(10_000)
      }
      const go = await goProgram(goName)
      await expect(takeOther(10_000)).rejects.toThrow(`the lock ${goName} is held by`)
      await go.end()
    })

    test('a name that databases share: ours in another database does not keep this one out, a Go program does', async () => {
      const elsewhere = await createDatabase(database.server)
      const there = { name: `archiver-${elsewhere.name}`, others: [sharedName] }
      const first = await MySqlLock.take({ settings: elsewhere.address, ...there, timeoutMs: 10_000 })
      {
        await using lock = await MySqlLock.take({ settings, ...names, timeoutMs: 10_000 })
        expect(lock.warning).toMatch(`holds the lock ${sharedName}`)
        await using _other = await MySqlLock.take({ settings, ...other, ours, timeoutMs: 10_000 })
      }
      await first[Symbol.asyncDispose]()
      const go = await goProgram(sharedName, elsewhere.address)
      await expect(MySqlLock.take({ settings, ...names, timeoutMs: 0 })).rejects.toThrow(
        `the lock ${sharedName} is held by`,
      )
      await go.end()
      await elsewhere.drop()
    })
  })

  describe('while a statement waits on its connection', () => {
    test('for longer than it lives, it is not lost', async () => {
      const { lock, done, release } = await waiting(database, 'lock tables held write', 'insert into held values (1)')
      await delay(3_000)
      lock.assertHeld()
      await expect(take(lock.name)).rejects.toMatchObject({ code: 'LOCK_HELD' })
      await release()
      await done
      await delay(1_500)
      lock.assertHeld()
    })

    test('and its connection is killed, it is lost', async () => {
      const { lock, other, done } = await waiting(database, 'lock tables held write', 'insert into held values (3)')
      await delay(1_500)
      await other.query(`kill ${lock.connection.threadId}`)
      await expect(done).rejects.toThrow()
      expect(() => lock.assertHeld()).toThrow('was lost')
    })
  })

  test('an idle session that cannot be reached any more does not keep it, though others can reach the server', async () => {
    await using link = await FragileLink.to(database.address.port)
    const settings = { ...database.address, port: link.port }
    const times = { sessionWaitS: 2, pingIntervalMs: 200, lifeMs: 1_000 }
    await using lock = await MySqlLock.take({ settings, name: 'archiver-idle', timeoutMs: 0, times })
    const silentSinceMs = performance.now()
    link.silence()
    await expect
      .poll(() => (tries(() => lock.assertHeld()) ? 'held' : 'lost'), { timeout: 10_000, interval: 20 })
      .toBe('lost')
    expect(performance.now() - silentSinceMs).toBeLessThan(2_000)
  })

  test('what its statement waits for is said, with who holds it', async () => {
    const holder = await database.connect()
    onTestFinished(() => holder.end())
    await holder.query('create table if not exists named (id int primary key) engine=InnoDB')
    await holder.query('lock tables named write')
    await using lock = await take('archiver-named')
    const done = run(lock.connection, 'insert into named values (1)')
    const said = await new Promise<string>((resolve) => {
      const waits = watchLockWaits(database.address, resolve)
      onTestFinished(() => waits[Symbol.dispose]())
    })
    expect(said).toMatch(/^a statement has been waiting for \d+ s \(Waiting for .* lock\): insert into named/)
    // MySQL shows the holder; MariaDB only with a plugin.
    expect(said).toMatch(
      database.server.kind === 'mysql' ? `held by connection ${holder.threadId}, user` : 'who holds it',
    )
    await holder.query('unlock tables')
    await done
  }, 60_000)
})

/** The server takes no session shorter than a second. */
const times = { sessionWaitS: 1, pingIntervalMs: 200, lifeMs: 700 }

/** A lock with a statement on its connection that waits until `release` is called. */
async function waiting(database: MySqlDatabase, block: string, statement: string) {
  const other = await database.connect()
  onTestFinished(() => other.end())
  await other.query('create table if not exists held (id int primary key) engine=InnoDB')
  await other.query(block)
  const name = `archiver-${randomUUID()}`
  const lock = await MySqlLock.take({ settings: database.address, name, timeoutMs: 0, times })
  onTestFinished(() => lock[Symbol.asyncDispose]())
  const done = run(lock.connection, statement)
  done.catch(() => undefined)
  return { lock, other, done, release: () => other.query('unlock tables') }
}

// A server of its own: no session of the shared one could write meanwhile.
await describeWithOwnMySql('lock', (server) => {
  test('while the whole server is locked for longer than it lives, it is not lost', async () => {
    const database = await createDatabase(server)
    const { lock, done, release } = await waiting(
      database,
      'flush tables with read lock',
      'insert into held values (2)',
    )
    await delay(3_000)
    lock.assertHeld()
    await release()
    await done
    await delay(1_500)
    lock.assertHeld()
  })
})

function tries(check: () => void): boolean {
  try {
    check()
    return true
  } catch {
    return false
  }
}
