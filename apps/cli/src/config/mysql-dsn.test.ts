import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maskMysqlDsn, parseMysqlDsn, variablesOfDsn } from './mysql-dsn.js'

const plain = { user: 'u', password: 'p', address: 'h:3307', database: 'db', parameters: new Map() }

describe('parseMysqlDsn', () => {
  it.each([
    ['u:p@tcp(h:3307)/db', plain],
    ['u:p@tcp(h:3307)/db?', plain],
    ['u@tcp(h:3307)/db', { ...plain, password: '' }],
    ['tcp(h:3307)/db', { ...plain, user: '', password: '' }],
    ['u:p@(h:3307)/db', plain],
    ['u:p@tcp([::1]:3307)/db', { ...plain, address: '[::1]:3307' }],
    ['u:p@tcp/db', { ...plain, address: '127.0.0.1:3306' }],
    ['u:p@tcp()/db', { ...plain, address: '127.0.0.1:3306' }],
    ['u:p@/db', { ...plain, address: '127.0.0.1:3306' }],
    ['/db', { ...plain, user: '', password: '', address: '127.0.0.1:3306' }],
    ['/', { ...plain, user: '', password: '', address: '127.0.0.1:3306', database: '' }],
    ['u:p@unix/db', { ...plain, address: '/tmp/mysql.sock' }],
    ['u:p@unix(/run/mysqld/mysqld.sock)/db', { ...plain, address: '/run/mysqld/mysqld.sock' }],
    ['u:p@tcp(h:3307)/d%2Fb%20c', { ...plain, database: 'd/b c' }],
    ['u:@:/?#%@tcp(h:3307)/db', { ...plain, password: '@:/?#%' }],
    [
      'u:p@tcp(h:3307)/db?parseTime=true&loc=Europe%2FCopenhagen&tls=skip-verify&timeout=5s&flag',
      {
        ...plain,
        parameters: new Map([
          ['parseTime', 'true'],
          ['loc', 'Europe/Copenhagen'],
          ['tls', 'skip-verify'],
          ['timeout', '5s'],
        ]),
      },
    ],
  ])('reads %s', (text, dsn) => {
    expect(parseMysqlDsn(text)).toEqual(dsn)
  })

  it('reads any password', () => {
    const password = fc.string({ unit: fc.constantFrom(...'aZ0@:/?#%&=()[] \'"\\ü') })
    fc.assert(
      fc.property(password, (secret) => {
        expect(parseMysqlDsn(`u:${secret}@tcp(h:3307)/db?tls=true`)).toEqual({
          ...plain,
          password: secret,
          parameters: new Map([['tls', 'true']]),
        })
      }),
    )
  })

  it.each([
    ['u:s3cret@tcp(h)', 'has no slash before the name of the database'],
    ['mysql://u:s3cret@h/db', 'names a network other than tcp and unix'],
    ['u:s3cret@h:3306/db', 'names a network other than tcp and unix'],
    ['u:s3cret/db', 'names a network other than tcp and unix'],
    ['u:s3/cret@tcp(h)', 'names a network other than tcp and unix'],
    ['u:s3cret@tcp(h:3306/db', 'has an address without its closing bracket'],
    ['u:s3cret@unix(/s3cret.sock)', 'has an address without its closing bracket'],
    ['u:s3cret@tcp(h)/db?loc=Europe/Copenhagen', 'has a slash in a parameter'],
    ['u:s3cret@tcp(h)/db?tsl=true', 'has the unknown parameter "tsl"'],
    ['u:s3cret@tcp(h)/db?sql_mode=ANSI', 'has the unknown parameter "sql_mode"'],
    ['u:s3cret@tcp(h)/db?parseTime=s3cret', 'has a parameter parseTime that is neither true nor false'],
    ['u:s3cret@tcp(h)/db?readTimeout=s3cret', 'has a parameter readTimeout that is not a duration'],
    ['u:s3cret@tcp(h)/db?loc=%zz', 'has a per cent sign in its parameter loc'],
    ['u:s3cret@tcp(h)/d%b', 'has a per cent sign in its name of the database'],
  ])('refuses %s without repeating it', (text, message) => {
    expect(() => parseMysqlDsn(text)).toThrow(message)
    expect(() => parseMysqlDsn(text)).not.toThrow('s3')
    expect(maskMysqlDsn(text, '***')).toBe('***')
  })

  it('suggests the parameter that was meant', () => {
    expect(() => parseMysqlDsn('/db?tsl=true')).toThrow(expect.objectContaining({ hint: 'did you mean tls?' }))
  })
})

it('says what a DSN says as variables', () => {
  const dsn = parseMysqlDsn('u@tcp(h:3307)/db?tls=true&timeout=5s&charset=utf8mb4,utf8&rejectReadOnly=0&collation=x')
  expect(variablesOfDsn(dsn)).toEqual({
    db_host: 'h:3307',
    db_database: 'db',
    db_user: 'u',
    db_pass: '',
    db_tls: 'true',
    db_timeout: '5s',
    db_charset: 'utf8mb4,utf8',
    db_reject_readonly: '0',
  })
})

it.each([
  ['u:s3c:r@t@tcp(h)/db?tls=true', 'u:***@tcp(h)/db?tls=true'],
  ['u@tcp(h:3306)/db', 'u@tcp(h:3306)/db'],
])('masks %s', (text, shown) => {
  expect(maskMysqlDsn(text, '***')).toBe(shown)
})
