import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { type CutBlock, commitLast, cutBlocks } from './commit-last.js'
import { gzipCuts } from './frames.js'
import { untilTaken } from './until-taken.js'

/** More than the operating system buffers for a connection. */
const LARGE = 64 * 2 ** 20

async function* piecesOf(...sizes: number[]) {
  for (const [i, size] of sizes.entries()) yield Buffer.alloc(size, i + 1)
}

test('the end of a block waits in this process until the operating system has taken all before it', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const agent = new Agent({ keepAlive: true })
  const { port } = server.address() as AddressInfo // it listens on a port
  const sending = request({ port, host: '127.0.0.1', method: 'POST', agent })
  let checks = 0
  const lease = { signal: new AbortController().signal, assertHeld: () => void checks++ }
  const bytes = commitLast(cutBlocks(piecesOf(LARGE, 10)), lease, () => untilTaken(agent, body))
  const body: Readable = Readable.from(bytes, { objectMode: false, highWaterMark: 1 })
  const sent = pipeline(body, sending)
  const [received, answer] = (await once(server, 'request')) as [IncomingMessage, { end(): void }]
  // Nobody reads: the first block stays in this process, and its end is not handed over, however often the loop turns.
  for (let i = 0; i < 100; i++) await new Promise(setImmediate)
  expect(checks).toBe(1)
  expect(sending.socket!.writableLength).toBeGreaterThan(0)
  const all = buffer(received)
  await sent
  expect((await all).length).toBe(LARGE + 10)
  expect(checks).toBe(4)
  answer.end()
  agent.destroy()
  server.close()
})

test('nothing else happens between the lease and the time the end of a block is taken', async () => {
  const steps: string[] = []
  const lease = { signal: new AbortController().signal, assertHeld: () => void steps.push('check') }
  const bytes = commitLast(cutBlocks(piecesOf(3, 2)), lease, async () => void steps.push('taken'))
  for await (const piece of bytes) steps.push(`${piece.length} bytes`)
  const end = ['taken', 'check', '1 bytes', 'taken']
  expect(steps).toEqual(['check', '2 bytes', ...end, 'check', '1 bytes', ...end])
})

test('a body that is given up does not wait for the operating system', async () => {
  const body = Readable.from(piecesOf(10))
  body.destroy()
  await untilTaken({ sockets: {} } as Agent, body)
  expect(body.destroyed).toBe(true)
})

test('gzip gives out all of a block but its last byte before the end of the block', async () => {
  const blocks = await Array.fromAsync(gzipCuts(cutBlocks(piecesOf(5_000, 3_000))))
  const whole = blocks.flatMap(({ body, end }: CutBlock) => [body, end])
  expect(gunzipSync(Buffer.concat(whole))).toEqual(Buffer.concat(await Array.fromAsync(piecesOf(5_000, 3_000))))
  const { Z_SYNC_FLUSH } = (await import('node:zlib')).constants
  const upTo = (parts: Uint8Array[]) => gunzipSync(Buffer.concat(parts), { finishFlush: Z_SYNC_FLUSH }).length
  expect([1, 2, 3].map((count) => upTo(whole.slice(0, count)))).toEqual([4_999, 5_000, 7_999])
})
