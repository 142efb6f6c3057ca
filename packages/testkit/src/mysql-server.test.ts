import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RowDataPacket } from 'mysql2/promise'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { connectTo, createDatabase, type MySqlAddress, type MySqlDatabase } from './database.js'
import { existingMySql, type MySqlServer, startMariaDb, testMySql } from './mysql-server.js'
import type { Started } from './server-process.js'
import { describeNeeding, describeWithOwnMySql, findMySqlPrograms } from './vitest.js'

async function ask(address: MySqlAddress, sql: string): Promise<unknown> {
  const connection = await connectTo(address)
  const [rows] = await connection.query<RowDataPacket[]>({ sql, rowsAsArray: true })
  await connection.end()
  return rows[0]?.[0]
}

const serverArgs = ['--max-connections=17']

await describeWithOwnMySql('a server of one’s own', aServerOfOnesOwn, { serverArgs })

function aServerOfOnesOwn(server: Started<MySqlServer>) {
  let database: MySqlDatabase
  beforeAll(async () => {
    database = await createDatabase(server)
  })

  test('says where and what it is, and takes arguments', async () => {
    expect(server.url).toBe(`mysql://root@127.0.0.1:${server.port}/`)
    expect((await stat(server.socketPath!)).isSocket()).toBe(true)
    expect(await ask(database.address, 'select version()')).toBe(server.version)
    expect(await ask(database.address, 'select @@session.time_zone')).toBe('+00:00')
    expect(await ask(database.address, 'select @@max_connections')).toBe(17)
  })

  test('is found by its address, as ARCHIVER_TEST_MYSQL_URL gives it', async () => {
    vi.stubEnv('ARCHIVER_TEST_MYSQL_URL', server.url)
    const same = await testMySql()
    vi.unstubAllEnvs()
    const { kind, version, port, user } = server
    expect(same).toMatchObject({ kind, version, port, user, process: undefined })
    await same.stop()
    expect(await ask(database.address, 'select 1')).toBe(1)
  })

  test('of no version that Debian has: says which there are', async () => {
    vi.stubEnv('ARCHIVER_TEST_MARIADB', '12.0')
    await expect(startMariaDb()).rejects.toThrow('ARCHIVER_TEST_MARIADB takes 10.11 and 11.8, not 12.0')
    vi.unstubAllEnvs()
  })

  test('keeps its port and its rows through a restart', async () => {
    await ask(database.address, 'create table kept as select 41 as number')
    await server.process.restart()
    expect(await ask(database.address, 'select number from kept')).toBe(41)
  })

  test('can be frozen: it answers once it is thawed', async () => {
    const connection = await database.connect()
    await server.process.freeze()
    const answer = connection.query('select 1').then(() => 'answered')
    expect(await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 300, 'silent'))])).toBe('silent')
    server.process.thaw()
    expect(await answer).toBe('answered')
    await connection.end()
  })

  test('can be killed while frozen, and is gone until it is restarted', async () => {
    await server.process.freeze()
    await server.process.kill()
    expect(server.process.pid).toBeUndefined()
    await expect(database.connect()).rejects.toThrow('ECONNREFUSED')
    await server.process.restart()
    expect(await ask(database.address, 'select 1')).toBe(1)
  })
}

await describeNeeding('the folder', { mysql: findMySqlPrograms }, () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'testkit-'))
    vi.stubEnv('TMPDIR', folder)
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await rm(folder, { recursive: true })
  })

  test('of a stopped server is removed', async () => {
    const server = await startMariaDb()
    expect(await readdir(folder)).toHaveLength(1)
    await Promise.all([server.stop(), server.stop()])
    expect(await readdir(folder)).toEqual([])
  })

  test('with data of the caller is kept, and used again', async () => {
    const dataFolder = join(folder, 'data')
    const first = await startMariaDb({ dataFolder, durable: true })
    const database = await createDatabase(first)
    await ask(database.address, 'create table kept as select 42 as number')
    await first.stop()
    const second = await startMariaDb({ dataFolder })
    expect(await ask({ ...database.address, port: second.port }, 'select number from kept')).toBe(42)
    await second.stop()
    expect(await readdir(folder)).toEqual(['data'])
  })

  test('of a server that cannot start is removed, and the error says why', async () => {
    await expect(startMariaDb({ serverArgs: ['--no-such-option'] })).rejects.toThrow('no-such-option')
    expect(await readdir(folder)).toEqual([])
  })
})

test('a server out of reach is an error', async () => {
  await expect(existingMySql('mysql://root@127.0.0.1:1/')).rejects.toThrow('ECONNREFUSED')
})
