import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCli } from './run-cli.js'

/** Lives, and is not ready. */
const service = createServer(({ url }, response) => {
  if (url === '/healthz') response.end('ok\n')
  else response.writeHead(503).end('not ready: starting\n')
})
let listen: string

beforeAll(async () => {
  await once(service.listen(0, '127.0.0.1'), 'listening')
  listen = `:${(service.address() as AddressInfo).port}` // a listening TCP server has one
})
afterAll(() => service.close())

const ask = (args: readonly string[], http_listen = listen) => runCli(['health', ...args], { http_listen })

test('a service that lives: 0', async () => {
  expect(await ask([])).toMatchObject({ code: 0, stdout: 'ok\n' })
})

test('one that is not ready: 1, and why', async () => {
  expect(await ask(['--ready'])).toMatchObject({ code: 1, stdout: 'not ready: starting\n' })
})

test('at another address', async () => {
  expect(await ask(['--url', `http://127.0.0.1${listen}`], ':1')).toMatchObject({ code: 0 })
})

test('at the address of a config file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'archiver-health-'))
  const config = join(folder, 'archiver.env')
  await writeFile(config, `http_listen=${listen}\n`)
  expect(await runCli(['health', '--config', config], {})).toMatchObject({ code: 0, stdout: 'ok\n' })
  await rm(folder, { recursive: true })
})

test('none: 1, and what happened', async () => {
  expect(await ask([], ':2')).toMatchObject({ code: 1, stdout: expect.stringContaining('ECONNREFUSED') })
})

test('one that is told to listen nowhere: 2', async () => {
  expect(await ask([], 'off')).toMatchObject({ code: 2, stderr: expect.stringContaining('http_listen is "off"') })
})
