import { describe, expect, it } from 'vitest'
import * as type from './value-types.js'

describe('boolean', () => {
  it.each(['1', 't', 'T', 'true', 'TRUE', 'True', 'yes'])('reads %s as true', (text) => {
    expect(type.boolean.read(text)).toBe(true)
  })
  it.each(['0', 'f', 'F', 'false', 'FALSE', 'False', 'no'])('reads %s as false', (text) => {
    expect(type.boolean.read(text)).toBe(false)
  })
  it.each(['on', '2', 'y', 'tru', ' true'])('refuses %j', (text) => {
    expect(() => type.boolean.read(text)).toThrow('is neither true nor false')
  })
})

describe('integer', () => {
  const integer = type.integer(1, 1_000_000)
  it.each([
    ['1', 1],
    ['+5', 5],
    ['500_000', 500_000],
    ['1000000', 1_000_000],
  ])('reads %s', (text, number) => {
    expect(integer.read(text)).toBe(number)
  })
  it.each(['', '5x', '1.0', '1e3', '0x10', '010', '_1', '1__0', '1_', '5 '])('refuses %j', (text) => {
    expect(() => integer.read(text)).toThrow('is not a whole number')
  })
  it.each([
    ['0', 'is less than 1'],
    ['-1', 'is less than 1'],
    ['1000001', 'is more than 1000000'],
  ])('refuses %s, which is out of bounds', (text, message) => {
    expect(() => integer.read(text)).toThrow(message)
  })
})

describe('duration', () => {
  it.each([
    ['-1s', 'is negative'],
    ['25h', 'is longer than 24h'],
    ['10', 'is not a duration'],
  ])('refuses %s', (text, message) => {
    expect(() => type.duration(86_400_000).read(text)).toThrow(message)
  })
})

it.each([
  ['0', 0],
  ['5', 5_000],
  ['1m', 60_000],
])('reads %s as seconds or a duration', (text, ms) => {
  expect(type.seconds.read(text)).toBe(ms)
})

it.each([
  ['TRUE', 'true'],
  ['1', 'true'],
  ['f', 'false'],
  ['Skip-Verify', 'skip-verify'],
  ['preferred', 'preferred'],
])('reads %s as a way of TLS', (text, mode) => {
  expect(type.tlsMode.read(text)).toBe(mode)
})

it('names all the words of a choice', () => {
  expect(() => type.choice('auto', 'json').read('xml')).toThrow('is none of auto, json')
})

it.each([
  ['a', ['a']],
  [' a, b ,a,', ['a', 'b']],
])('reads %j as tables', (text, names) => {
  expect(type.tables.read(text)).toEqual(names)
})

it.each([',', 'a,b c', 'a;b', 'a`', 'a.b', '../a', 'ä', 'a'.repeat(50)])('refuses %j as tables', (text) => {
  expect(() => type.tables.read(text)).toThrow()
})

it.each(['UTC', 'Local', 'Europe/Copenhagen'])('reads %s as a time zone', (text) => {
  expect(type.timezone.read(text)).toBe(text)
})

it('refuses what is no time zone', () => {
  expect(() => type.timezone.read('Mars/Phobos')).toThrow('is not a time zone')
})

it('refuses control characters in a line of text', () => {
  expect(() => type.text.read('a\r\nb')).toThrow('control character')
})

it('reads addresses of servers, with the port where there is one', () => {
  expect(type.servers.read('a, b:3307 ,::1,[::1]:3308,')).toEqual([
    { host: 'a', port: undefined },
    { host: 'b', port: 3307 },
    { host: '::1', port: undefined },
    { host: '::1', port: 3308 },
  ])
  expect(type.servers.read('')).toEqual([])
})

it.each(['/run/mysqld.sock', 'a:b', 'a:70000'])('refuses the address %s', (text) => {
  expect(() => type.servers.read(text)).toThrow()
})

it.each(['http://127.0.0.1:9050', 'https://bq.example', 'localhost:9050', '127.0.0.1:4443'])(
  'takes the endpoint %s as it is',
  (text) => expect(type.endpoint.read(text)).toBe(text),
)

it.each(['http://', 'ftp://a b', 'http://u:p@host'])('refuses the endpoint %s', (text) => {
  expect(() => type.endpoint.read(text)).toThrow()
})
