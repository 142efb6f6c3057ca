import { describe, expect, it } from 'vitest'
import { maskClickHouseDsn, parseClickHouseDsn } from './dsn.js'

const plain = {
  kind: 'servers',
  urls: ['http://10.0.0.5:8123'],
  username: 'default',
  password: '',
  database: 'askntp',
  httpPath: '',
  skipVerify: false,
  compression: 'none',
  dialTimeoutMs: 10_000,
  requestTimeoutMs: 300_000,
  settings: {},
}

describe('parseClickHouseDsn', () => {
  it.each<[dsn: string, differs: object]>([
    ['tcp://10.0.0.5:9000/askntp', {}],
    ['tcp://10.0.0.5:9000/askntp?debug=false', {}],
    ['clickhouse://10.0.0.5/askntp', {}],
    ['http://10.0.0.5:8123/askntp', {}],
    ['http://10.0.0.5/askntp', {}],
    ['http://10.0.0.5:80/askntp', { urls: ['http://10.0.0.5:80'] }],
    ['https://10.0.0.5/askntp', { urls: ['https://10.0.0.5:8443'] }],
    ['https://10.0.0.5:444/askntp?secure=true', { urls: ['https://10.0.0.5:444'] }],
    ['tcp://10.0.0.5:9440/askntp?secure=true', { urls: ['https://10.0.0.5:8443'] }],
    ['tcp://10.0.0.5:9440/askntp?secure', { urls: ['https://10.0.0.5:8443'] }],
    ['tcp://10.0.0.5:9000/askntp?secure=false', {}],
    ['tcp://10.0.0.5:9000/askntp?http_port=18123', { urls: ['http://10.0.0.5:18123'] }],
    ['tcp://h/askntp?secure=1&http_port=443&skip_verify=true', { urls: ['https://h:443'], skipVerify: true }],
    ['tcp://[::1]:9000,b.example:9000/askntp', { urls: ['http://[::1]:8123', 'http://b.example:8123'] }],
    ['tcp://a:9000/askntp?alt_hosts=b:9000,c', { urls: ['http://a:8123', 'http://b:8123', 'http://c:8123'] }],
    ['tcp://me:p%40ss%2F@10.0.0.5:9000/askntp', { username: 'me', password: 'p@ss/' }],
    ['tcp://me:p@ss:w@10.0.0.5:9000/askntp', { username: 'me', password: 'p@ss:w' }],
    ['tcp://me@10.0.0.5/askntp', { username: 'me' }],
    ['tcp://10.0.0.5:9000?username=me&password=s%26t&database=askntp', { username: 'me', password: 's&t' }],
    ['tcp://10.0.0.5:9000', { database: 'default' }],
    ['tcp://10.0.0.5:9000/', { database: 'default' }],
    ['tcp://10.0.0.5/askntp?compress=lz4', { compression: 'auto' }],
    ['tcp://10.0.0.5/askntp?compress=true', { compression: 'auto' }],
    ['tcp://10.0.0.5/askntp?compress=1', { compression: 'auto' }],
    ['tcp://10.0.0.5/askntp?compress=zstd&compress_level=3', { compression: 'zstd' }],
    ['tcp://10.0.0.5/askntp?compress=gzip', { compression: 'gzip' }],
    ['tcp://10.0.0.5/askntp?compress=none', {}],
    ['tcp://10.0.0.5/askntp?compress=false', {}],
    ['tcp://10.0.0.5/askntp?compress=0', {}],
    ['tcp://10.0.0.5/askntp?dial_timeout=1m30s&read_timeout=250ms', { dialTimeoutMs: 90_000, requestTimeoutMs: 250 }],
    ['tcp://10.0.0.5/askntp?read_timeout=10&write_timeout=20', { requestTimeoutMs: 10_000 }],
    ['tcp://10.0.0.5/askntp?connection_open_strategy=in_order&block_size=1000&no_delay=true&pool_size=9', {}],
    ['tcp://10.0.0.5/askntp?max_open_conns=5&max_idle_conns=5&conn_max_lifetime=1h&block_buffer_size=9', {}],
    ['tcp://10.0.0.5/askntp?max_execution_time=60', { settings: { max_execution_time: '60' } }],
    ['tcp://10.0.0.5/askntp?optimize_on_insert=False', { settings: { optimize_on_insert: '0' } }],
    ['https://10.0.0.5/askntp?http_path=proxy/ch', { urls: ['https://10.0.0.5:8443'], httpPath: 'proxy/ch' }],
  ])('reads %s', (dsn, differs) => {
    expect(parseClickHouseDsn(dsn)).toEqual({ ...plain, ...differs })
  })

  it('reads the path of the embedded engine', () => {
    expect(parseClickHouseDsn('chdb:///var/lib/arch%20ive?database=ntp')).toEqual({
      kind: 'embedded',
      path: '/var/lib/arch ive',
      database: 'ntp',
      settings: {},
    })
  })

  it.each<[dsn: string, message: RegExp]>([
    ['', /not of the form scheme/],
    ['10.0.0.5:9000', /not of the form scheme/],
    ['mysql://10.0.0.5/askntp', /the scheme mysql:\/\//],
    ['tcp:///askntp', /no host/],
    ['tcp://a,,b/askntp', /an empty name in the list of hosts/],
    ['tcp://a:port/askntp', /a:\*\*\* is not host or host:port/],
    ['tcp://a:99999/askntp', /a:\*\*\* is not host or host:port/],
    ['tcp://a b/askntp', /a b is not host or host:port/],
    ['tcp://a/x/y', /the database x\/y has a \//],
    ['tcp://a/%zz', /the database has a %/],
    ['tcp://me:%zz@a/x', /the password has a %/],
    ['tcp://a/x?http_port=0', /http_port=0 is not a port/],
    ['tcp://a/x?http_port=abc', /http_port=abc is not a port/],
    ['tcp://a/x?secure=maybe', /secure=maybe is not true or false/],
    ['tcp://a/x?compress=snappy', /compress=snappy is not true or false or lz4, zstd, gzip, none/],
    ['tcp://a/x?dial_timeout=soon', /dial_timeout=soon is not a time/],
    ['tcp://a/x?dial_timeout=0s', /dial_timeout=0s is not a time/],
    ['tcp://a/x?debug=1&debug=0', /debug= is given twice/],
    ['tcp://a/x?no such=1', /"no such" is not a parameter/],
    ['tcp://a/x?max_threads=', /max_threads= has no value/],
    ['tcp://a/x?http_proxy=http://p', /http_proxy= cannot be honoured/],
    ['http://a/x?secure=true', /write https:\/\//],
    ['chdb://relative/path', /absolute path/],
    ['chdb://', /absolute path/],
  ])('refuses %s', (dsn, message) => {
    expect(() => parseClickHouseDsn(dsn)).toThrow(message)
    expect(() => parseClickHouseDsn(dsn)).toThrow(/^ch_dsn: /)
  })

  it.each([
    'tcp://me:hu/sh@a/x',
    'tcp://me:hush#1@a/x',
    'tcp://me:hush?@a/x',
    'tcp://me:hush@a:port/x',
    'tcp://me:hush@a/x?secure=maybe',
    'nonsense://me:hush@a/x?password=hush',
    'me:hush@a/x',
    'tcp://me:hush/x',
    'tcp://me:%hush@a/x',
    'tcp://a:b c/x?password=hush',
  ])('never shows the password: %s', (dsn) => {
    expect(() => parseClickHouseDsn(dsn)).toThrow(/^(?!.*hu(sh|\/))/s)
    expect(maskClickHouseDsn(dsn)).not.toMatch(/hu(sh|\/)/)
  })
})

describe('maskClickHouseDsn', () => {
  it.each([
    ['tcp://me:hush@a:9000/x?debug=1', 'tcp://me:***@a:9000/x?debug=1'],
    ['tcp://a:9000/x?username=me&password=hush&debug=1', 'tcp://a:9000/x?username=me&password=***&debug=1'],
    ['tcp://me@a/x', 'tcp://me@a/x'],
    ['chdb:///var/lib/archive', 'chdb:///var/lib/archive'],
  ])('%s', (dsn, masked) => {
    expect(maskClickHouseDsn(dsn)).toBe(masked)
  })
})
