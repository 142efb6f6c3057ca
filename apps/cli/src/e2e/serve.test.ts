import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ordinaryRows } from '@archiver/conformance'
import { chunksFromRows, leaseUntil } from '@archiver/core'
import { createFileAvroArchiver } from '@archiver/file-avro'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launcher, runCli } from './run-cli.js'

const rows = ordinaryRows(500)
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'archiver-serve-'))
  await using archiver = createFileAvroArchiver({ path: folder })
  await archiver.prepare('log_scores')
  const [afterId, firstId, upToId] = [rows[0]!.id - 1n, rows[0]!.id, rows.at(-1)!.id]
  const batch = { id: 1n, archiver: 'fileavro', table: 'log_scores', afterId, firstId, upToId }
  await archiver.store(batch, chunksFromRows(rows), leaseUntil())
})
afterAll(() => rm(folder, { recursive: true }))

test('answers from an archive until it is told to stop', async () => {
  const env = { PATH: process.env.PATH, avro_path: folder }
  const child = spawn(launcher, ['serve', '--listen', '127.0.0.1:0'], { env })
  const closed = once(child, 'exit')
  const [, url] = /^fileavro: answering at (http:\S+)$/m.exec(await firstLine(child)) ?? []
  const answer = await fetch(`${url}?server=1&limit=3`)
  expect(answer.status).toBe(200)
  expect(await answer.json()).toMatchObject({ scores: [{ id: 1_000_001, sid: 1 }], next: null })
  expect((await fetch(`${url}?server=x`)).status).toBe(400)
  child.kill('SIGTERM')
  expect(await closed).toEqual([0, null])
})

async function firstLine(child: ChildProcessWithoutNullStreams): Promise<string> {
  let text = ''
  for await (const piece of child.stderr.setEncoding('utf8')) {
    text += String(piece)
    if (text.includes('\n')) return text
  }
  return text
}

test('an address that is taken, or none, is named', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as { port: number } // of a server that listens on a port
  const taken = await runCli(['serve', '--listen', `127.0.0.1:${port}`], { avro_path: folder })
  expect(taken).toMatchObject({ code: 1, stderr: expect.stringContaining(`cannot listen on 127.0.0.1:${port}`) })
  other.close()
  const none = await runCli(['serve', '--listen', 'here'], { avro_path: folder })
  expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('--listen: "here" is no address') })
  const unknown = await runCli(['serve', '--archive', 'tape'], { avro_path: folder })
  expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no archive tape') })
})

test('it has the limits of the service, and answers nothing to a page of another site', async () => {
  const child = spawn(launcher, ['serve', '--listen', '127.0.0.1:0'], {
    env: { PATH: process.env.PATH, avro_path: folder, http_allowed_hosts: 'scores.example' },
  })
  const closed = once(child, 'exit')
  const [, text = ''] = /answering at (http:\S+)$/m.exec(await firstLine(child)) ?? []
  const statusOf = (host: string) =>
    new Promise((resolve, reject) => {
      get(`${text}?limit=1`, { headers: { host } }, (response) => {
        response.destroy()
        resolve(response.statusCode)
      }).on('error', reject)
    })
  expect(await Promise.all(['evil.example', 'scores.example', 'localhost'].map(statusOf))).toEqual([421, 200, 200])
  expect((await fetch(`${text}?${'x'.repeat(2_000)}`)).status).toBe(414)
  expect((await fetch(text, { method: 'POST', body: 'x' })).status).toBe(405)
  expect((await fetch(new URL('/nowhere', text))).status).toBe(404)
  child.kill('SIGTERM')
  expect(await closed).toEqual([0, null])
})
