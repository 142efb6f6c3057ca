import { expect, test } from 'vitest'
import { isLoopback, isOwnHost } from './hosts.js'

test.each(['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1'])('%s is the loopback', (address) => {
  expect(isLoopback(address)).toBe(true)
})

test.each(['0.0.0.0', '::', '10.0.0.1', '128.0.0.1', '127.0.0.1.evil.example', 'fe80::1', ''])(
  '%j is not',
  (address) => {
    expect(isLoopback(address)).toBe(false)
  },
)

test.each([
  'localhost',
  'LOCALHOST:5000',
  'localhost.',
  'x.localhost:80',
  '127.0.0.1:5000',
  '[::1]:5000',
  '[::1]',
  'archiver.example:443',
  undefined,
])('%s names this machine', (host) => {
  expect(isOwnHost(host, ['archiver.example'])).toBe(true)
})

test.each([
  'evil.example',
  'localhost.evil.example',
  '127.0.0.1.nip.io:5000',
  'notlocalhost',
  '10.0.0.1:5000',
  '',
  '[::2]',
  'a@localhost',
])('%j does not', (host) => {
  expect(isOwnHost(host, ['archiver.example'])).toBe(false)
})
