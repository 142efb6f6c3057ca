import { expect, it } from 'vitest'
import { parseMysqlAddress } from './mysql-address.js'

it.each([
  ['db', { host: 'db', port: 3306 }],
  ['db.ntppool.org:3307', { host: 'db.ntppool.org', port: 3307 }],
  ['my_db-1', { host: 'my_db-1', port: 3306 }],
  ['10.0.0.5:33060', { host: '10.0.0.5', port: 33060 }],
  ['[::1]:3307', { host: '::1', port: 3307 }],
  ['[::1]', { host: '::1', port: 3306 }],
  ['::1', { host: '::1', port: 3306 }],
  ['fe80::1:2', { host: 'fe80::1:2', port: 3306 }],
  ['[fe80::1%eth0]:3306', { host: 'fe80::1%eth0', port: 3306 }],
  ['/run/mysqld/mysqld.sock', { host: 'localhost', port: 3306, socketPath: '/run/mysqld/mysqld.sock' }],
  ['/run/with space:and@.sock', { host: 'localhost', port: 3306, socketPath: '/run/with space:and@.sock' }],
])('reads %s', (text, address) => {
  expect(parseMysqlAddress(text)).toEqual(address)
})

it.each(['db:', 'db:0', 'db:65536', 'db:abc', 'db:-1', '[::1]:x'])('names the port of %s', (text) => {
  expect(() => parseMysqlAddress(text)).toThrow('has a port that is not a number from 1 to 65535')
})

it.each(['a b', 'run/mysqld.sock', '[::1', 'mysql://db', 'tcp(db:3306)', 'u@db'])('refuses %s', (text) => {
  expect(() => parseMysqlAddress(text)).toThrow('is not a host')
})

it('sends a DSN to its own variable', () => {
  expect(() => parseMysqlAddress('u:p@tcp(db)/x')).toThrow(
    expect.objectContaining({ hint: 'a DSN goes into DATABASE_DSN' }),
  )
})
