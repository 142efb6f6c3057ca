import { fileURLToPath } from 'node:url'
import { createDatabase, type MySqlServer, startMariaDb } from '@archiver/testkit'
import { describeNeeding, describeWithMySql } from '@archiver/testkit/vitest'
import { afterAll, expect, test } from 'vitest'
import { connect, disconnect, isEncrypted } from './connect.js'
import type { MySqlSettings } from './settings.js'

const fixtures = fileURLToPath(new URL('../fixtures/tls/', import.meta.url))

async function encrypted(settings: MySqlSettings): Promise<boolean> {
  const connection = await connect(settings)
  const answer = isEncrypted(connection)
  await disconnect(connection)
  return answer
}

await describeWithMySql('connecting', ({ address }) => {
  test.each([
    ['a wrong password', { password: 'wr0ng-secret' }, 'MYSQL_ACCESS_DENIED', 'user or password is wrong'],
    ['an unknown user', { user: 'nobody-here' }, 'MYSQL_ACCESS_DENIED', 'user or password is wrong'],
    ['an unknown database', { database: 'not_there' }, 'MYSQL_NO_DATABASE', 'no such database'],
    ['an unknown host', { host: 'no-such-host.invalid' }, 'MYSQL_UNKNOWN_HOST', 'host name is unknown'],
    ['a port where nothing listens', { port: 1 }, 'MYSQL_UNREACHABLE', 'nothing listens there'],
    ['a socket that is not there', { socketPath: '/nowhere/mysql.sock' }, 'MYSQL_NO_SOCKET', 'socket does not exist'],
  ])('%s is said in words, without the password', async (_, wrong, code, words) => {
    const failing = connect({ ...address, ...wrong, connectTimeoutMs: 5_000 })
    await expect(failing).rejects.toMatchObject({ code, hint: expect.any(String) })
    await expect(failing).rejects.toThrow(words)
    await expect(failing).rejects.not.toThrow('wr0ng-secret')
  })

  test('the session is at UTC', async () => {
    const connection = await connect(address)
    const rows = await new Promise((resolve) => connection.query('select @@time_zone as zone', (_, r) => resolve(r)))
    expect(rows).toEqual([{ zone: '+00:00' }])
    await disconnect(connection)
  })
})

await describeNeeding('TLS', { started: startTls }, ({ started }) => {
  const { offering, plain, stop } = started
  afterAll(stop)

  test.each([
    ['false', false],
    ['preferred', true],
    ['skip-verify', true],
  ] as const)('mode %s on a server that offers it', async (mode, expected) => {
    expect(await encrypted({ ...offering, tls: { mode } })).toBe(expected)
  })

  test('mode true trusts the authority that is named, and no other', async () => {
    expect(await encrypted({ ...offering, tls: { mode: 'true', caFile: `${fixtures}ca.pem` } })).toBe(true)
    await expect(encrypted({ ...offering, tls: { mode: 'true' } })).rejects.toMatchObject({ code: 'MYSQL_TLS' })
  })

  test('a server without TLS: preferred goes on without, true does not', async () => {
    expect(await encrypted({ ...plain, tls: { mode: 'preferred' } })).toBe(false)
    await expect(encrypted({ ...plain, tls: { mode: 'true' } })).rejects.toThrow('offers no TLS')
  })
})

/** Two servers: one with the certificate of the fixtures, one that has none. */
async function startTls() {
  const certificates = [`--ssl-ca=${fixtures}ca.pem`, `--ssl-cert=${fixtures}server-cert.pem`]
  const args = [...certificates, `--ssl-key=${fixtures}server-key.pem`]
  const servers = [await startMariaDb({ serverArgs: args }), await startMariaDb({ serverArgs: ['--skip-ssl'] })]
  const [offering, plain] = await Promise.all(servers.map(addressOf))
  return {
    offering: offering!,
    plain: plain!,
    stop: async () => void (await Promise.all(servers.map((s) => s.stop()))),
  }
}

async function addressOf(server: MySqlServer) {
  return (await createDatabase(server)).address
}
