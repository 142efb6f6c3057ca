import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { listenOf } from './listen.js'

const cwd = mkdtempSync(join(tmpdir(), 'listen-'))
afterAll(() => rmSync(cwd, { recursive: true }))

const listen = (http_listen: string | undefined, configFile?: string) =>
  listenOf({ env: { http_listen }, cwd, configFile })

test.each([
  ['where it is not set', undefined, ':5000'],
  ['at an address', '127.0.0.1:7', '127.0.0.1:7'],
  ['nowhere', 'off', ''],
  ['nowhere, said with an empty value', '', ''],
  ['where it cannot be used', ':99999', ':5000'],
])('%s, though nothing else is set', (_, given, expected) => {
  expect(listen(given)).toBe(expected)
})

test('of a config file; the environment wins over it', () => {
  writeFileSync(join(cwd, 'archiver.env'), 'http_listen=:6000\n')
  expect(listen(undefined, 'archiver.env')).toBe(':6000')
  expect(listen(':7000', 'archiver.env')).toBe(':7000')
})

test('of a file of secrets', () => {
  const secretsFolder = join(cwd, 'secrets')
  mkdirSync(secretsFolder)
  writeFileSync(join(secretsFolder, 'archiver.env'), 'http_listen=:6001\n')
  expect(listenOf({ env: {}, cwd, secretsFolder })).toBe(':6001')
})
