import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { strToU8, zipSync } from 'fflate'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { goProgram, moduleSum } from './go.js'

let cache: string
let proxy: Server
let address: string
let asked: string[]
let answer: Uint8Array | undefined
beforeEach(async () => {
  asked = []
  answer = undefined
  cache = await mkdtemp(join(tmpdir(), 'testkit-go-'))
  proxy = createServer((request, response) => {
    asked.push(`${request.headers.authorization ?? ''} ${request.url}`)
    response.writeHead(answer === undefined ? 404 : 200).end(answer)
  }).listen(0, '127.0.0.1')
  await new Promise((listening) => proxy.once('listening', listening))
  address = `127.0.0.1:${(proxy.address() as AddressInfo).port}` // a listening TCP server has one
  vi.stubEnv('XDG_CACHE_HOME', cache)
  vi.stubEnv('PATH', '/nowhere')
})
afterEach(async () => {
  vi.unstubAllEnvs()
  proxy.close()
  await rm(cache, { recursive: true })
})

const build = () => goProgram('thing', 'example.com/thing@v1.2.3')

test('without Go, and without a module proxy, the reason says so', async () => {
  vi.stubEnv('GOPROXY', 'off')
  await expect(build()).rejects.toMatchObject({
    name: 'ServiceUnavailable',
    reason: 'No thing: this machine has no Go, and GOPROXY names no proxy to fetch it from',
    hint: expect.stringContaining('GOPROXY'),
  })
})

test('each proxy of GOPROXY is asked, a password is sent and is in no message', async () => {
  vi.stubEnv('GOPROXY', `http://me:s3cret@${address}/a/,http://${address}/b|direct`)
  const failing = build()
  await expect(failing).rejects.toThrow(
    /proxy does not give one: .*\/a\/golang\.org\/toolchain\/.*: HTTP 404; .*\/b\//s,
  )
  await expect(failing).rejects.not.toThrow('s3cret')
  expect(asked).toEqual([
    expect.stringMatching(
      /^Basic bWU6czNjcmV0 \/a\/golang\.org\/toolchain\/@v\/v0\.0\.1-go1\.\d+\.\d+\.linux-\w+\.zip$/,
    ),
    expect.stringMatching(/^ \/b\//),
  ])
})

test('a toolchain that is not the published one is not used, and nothing is kept of it', async () => {
  answer = zipSync({ 'golang.org/toolchain@v0.0.1-go1.26.8.linux-amd64/bin/go': strToU8('#!/bin/sh\n') })
  vi.stubEnv('GOPROXY', `http://${address}`)
  await expect(build()).rejects.toThrow(/has the checksum h1:\S+, not h1:/)
  expect(await readdir(join(cache, 'ntp-archiver'))).toEqual([])
})

test('a checksum of files is the one that Go computes', () => {
  const files = { 'm@v1/b.go': strToU8('package b\n'), 'm@v1/a.go': strToU8('package a\n') }
  // By the definition of golang.org/x/mod/sumdb/dirhash, computed by another program.
  expect(moduleSum(files)).toBe('h1:Jw+PFR0oclLPJ0ugYcG/feVdw1t8zw2JDYJo6vTiH/o=')
})
