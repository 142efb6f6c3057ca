import { createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { archivedRow } from '@archiver/avro'
import { createClickHouseArchiver } from '@archiver/clickhouse'
import { ordinaryRows } from '@archiver/conformance'
import type { ArchiveReader, ScanQuery } from '@archiver/core'
import { describeWithClickHouse } from '@archiver/testkit/vitest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createScoresApi } from './handler.js'
import type { ScoresServer } from './test-support.js'
import { filesWith, goRow, rows, serve, store, table } from './test-support.js'

interface Page {
  readonly scores: readonly Record<string, unknown>[]
  readonly next: string | null
}

let reader: ArchiveReader
let server: ScoresServer
beforeAll(async () => {
  reader = await filesWith(rows)
  server = await serve(reader)
})
afterAll(() => server[Symbol.asyncDispose]())

const ask = (query: string, init?: RequestInit, at = server) => fetch(`${at.url}/api/scores${query}`, init)
const pageOf = async (query: string, at = server) => {
  const page = (await (await ask(query, {}, at)).json()) as Page // what it answers
  return { ...page, scores: page.scores.map(asKept) }
}
/** With the 32-bit float that the digits stand for. */
const asKept = (row: Record<string, unknown>): Record<string, unknown> => ({
  ...row,
  of: row.of === null ? null : Math.fround(Number(row.of)),
})
const ofServer = (id: number) => rows.filter(({ serverId }) => serverId === id).map(archivedRow)

describe('rows', () => {
  test("have the names of the Go program's JSON", async () => {
    const { scores } = await pageOf('?server=3&limit=20')
    expect(scores).toEqual(ofServer(3).slice(0, 20).map(goRow))
    expect(Object.keys(scores[0]!)).toEqual(['id', 'sid', 'mid', 'ts', 'sc', 'st', 'of', 'rtt', 'attributes'])
  })

  test('come as JSON, or as NDJSON for who accepts or asks for it', async () => {
    const json = await ask('?server=3&limit=5')
    expect(json.headers.get('content-type')).toBe('application/json')
    for (const answer of [
      await ask('?server=3&limit=5&format=ndjson'),
      await ask('?server=3&limit=5', { headers: { accept: 'application/x-ndjson' } }),
    ]) {
      expect(answer.headers.get('content-type')).toBe('application/x-ndjson')
      const lines = (await answer.text()).trimEnd().split('\n')
      expect(lines.map((line) => asKept(JSON.parse(line)))).toEqual(ofServer(3).slice(0, 5).map(goRow))
    }
  })

  test.each([
    ['?monitor=7', (row) => row.monitorId === 7],
    ['?monitor=0', (row) => row.monitorId === null],
    ['?server=2&monitor=8', (row) => row.serverId === 2 && row.monitorId === 8],
    ['?from=1000101&to=1000200', (row) => row.id >= 1_000_101n && row.id <= 1_000_200n],
    ['?server=1&from=2023-11-15&to=2023-11-15', (row) => row.serverId === 1 && isoDay(row.tsSeconds) === '2023-11-15'],
    ['?from=2023-11-20T10:00&to=2023-11-20T10:59:59', (row) => /2023-11-20T10/.test(iso(row.tsSeconds))],
    ['?server=99', () => false],
    ['?server=2&after=1019990', (row) => row.serverId === 2 && row.id > 1_019_990n],
  ] satisfies [string, (row: (typeof rows)[number]) => boolean][])('of %s', async (query, wanted) => {
    const { scores, next } = await pageOf(`${query}&limit=100000`)
    expect(scores).toEqual(rows.filter(wanted).map(archivedRow).map(goRow))
    expect(next).toBeNull()
  })
})

const iso = (seconds: number) => new Date(seconds * 1000).toISOString()
const isoDay = (seconds: number) => iso(seconds).slice(0, 10)

test('next links lead through all rows, each once', async () => {
  const ids: unknown[] = []
  let query: string | null = '?server=4&limit=777&from=2023-11-15'
  let pages = 0
  while (query !== null) {
    const { scores, next }: Page = await pageOf(query)
    ids.push(...scores.map(({ id }) => id))
    query = next === null ? null : new URL(next, server.url).search
    pages += 1
  }
  const expected = ofServer(4).filter(({ tsSeconds }) => isoDay(tsSeconds) >= '2023-11-15')
  expect(ids).toEqual(expected.map(({ id }) => Number(id)))
  expect(pages).toBe(Math.floor(expected.length / 777) + 1)
})

describe('headers', () => {
  test('a full page of old rows may be kept for a day, and links to the next', async () => {
    const answer = await ask('?server=4&limit=10')
    expect(answer.headers.get('cache-control')).toBe('public, max-age=86400')
    expect(answer.headers.get('link')).toBe('</api/scores?server=4&limit=10&after=1000040>; rel="next"')
    expect(Number(answer.headers.get('content-length'))).toBe((await answer.arrayBuffer()).byteLength)
  })

  test('one that more may come into, or that is new, for some seconds', async () => {
    const partial = await ask('?server=4&after=1019980')
    expect(partial.headers.get('cache-control')).toBe('public, max-age=10')
    expect(partial.headers.get('link')).toBeNull()
    const now = Math.floor(Date.now() / 1000)
    await using young = await serve(await filesWith(ordinaryRows(9).map((row) => ({ ...row, tsSeconds: now }))))
    expect((await ask('?limit=5', {}, young)).headers.get('cache-control')).toBe('public, max-age=10')
  })

  test('what has not changed is not sent again', async () => {
    const first = await ask('?server=4&limit=10')
    const etag = first.headers.get('etag')!
    const again = await ask('?server=4&limit=10', { headers: { 'if-none-match': `"x", W/${etag}` } })
    expect([again.status, await again.text()]).toEqual([304, ''])
    expect((await ask('?server=4&limit=11')).headers.get('etag')).not.toBe(etag)
  })

  test('HEAD has those of GET, and no body', async () => {
    const [head, whole] = [await ask('?limit=10', { method: 'HEAD' }), await ask('?limit=10')]
    expect(await head.text()).toBe('')
    for (const name of ['etag', 'content-length', 'link', 'content-type'])
      expect(head.headers.get(name)).toBe(whole.headers.get(name))
  })

  test('a large page is streamed; its link comes behind it', async () => {
    const { message, body } = await received(`${server.url}/api/scores?limit=15000&format=ndjson`)
    expect(message.headers).toMatchObject({ 'transfer-encoding': 'chunked', trailer: 'Link' })
    expect(body.trimEnd().split('\n')).toHaveLength(15_000)
    expect(message.trailers.link).toContain('after=1015000>; rel="next"')
    const { scores, next } = await pageOf('?limit=15000')
    expect([scores.length, next]).toEqual([15_000, '/api/scores?limit=15000&after=1015000'])
  })
})

async function received(url: string): Promise<{ message: IncomingMessage; body: string }> {
  const message = await new Promise<IncomingMessage>((resolve, reject) => get(url, resolve).on('error', reject))
  let body = ''
  for await (const piece of message.setEncoding('utf8')) body += String(piece)
  return { message, body }
}

test.each([
  ['?from_id=1000003&to_id=1000005', [1_000_003, 1_000_004, 1_000_005]],
  ['?from=1000003&to=1000005', [1_000_003, 1_000_004, 1_000_005]],
  ['?from_time=1700000060&to_time=1700000120', [1_000_002, 1_000_003]],
  ['?from_time=2023-11-14T22:14:20&to_time=@1700000120', [1_000_002, 1_000_003]],
  ['?from=@1700000060&to=@1700000120', [1_000_002, 1_000_003]],
  ['?from_time=1700000060&to_time=1700000240&from_id=1000004&to_id=1000004', [1_000_004]],
])('ids and times by their own names: %s', async (query, ids) => {
  const { scores } = (await (await ask(query)).json()) as { scores: { id: number }[] } // as documented
  expect(scores.map(({ id }) => id)).toEqual(ids)
})

describe('refusals are problem documents', () => {
  test.each([
    ['server', '?server=x', 'no whole number from 0 to 4294967295'],
    ['server', '?server=4294967296', 'no whole number'],
    ['server', '?server=1&server=2', 'more than once'],
    ['monitor', '?monitor=-1', 'no whole number'],
    ['from', '?from=yesterday', 'is not an id, a date'],
    ['to', '?to=2026-02-30', 'is not an id, a date'],
    ['from_id', '?from_id=2026-11-01', 'is no id'],
    ['from_id', '?from_id=0', 'is no id'],
    ['to_time', '?to_time=x', 'is not a time'],
    ['from_time', '?from_time=4294967296', 'is not a time'],
    ['from', '?from=1&from_id=1', 'give it, or from_id and from_time'],
    ['to', '?to=1&to_time=1', 'give it, or to_id and to_time'],
    ['from_id', '?from_id=20&to_id=10', 'no row can be in this range: it begins at id 20, above its end, id 10'],
    ['from', '?from=2026-11-02&to=2026-11-01', 'no row can be in this range'],
    ['from_time', '?from_time=1700000001&to_time=1700000000', 'no row can be in this range'],
    ['after', '?after=1e3', 'is no id'],
    ['after', '?after=18446744073709551616', 'is no id'],
    ['limit', '?limit=0', 'no whole number from 1 to 100000'],
    ['limit', '?limit=100001', 'no whole number from 1 to 100000'],
    ['format', '?format=xml', 'neither json nor ndjson'],
    ['sever', '?sever=1', 'there is no such parameter; known are server'],
  ])('400 names %s of %s', async (parameter, query, words) => {
    const answer = await ask(query)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(await answer.json()).toMatchObject({ status: 400, parameter, detail: expect.stringContaining(words) })
  })

  test('405 for what changes something', async () => {
    const answer = await ask('', { method: 'POST' })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })

  test('502 without what the archive says, which the operator is told', async () => {
    const told: unknown[] = []
    await using archiver = createClickHouseArchiver({ dsn: 'tcp://secret:secret@127.0.0.1:1/x?http_port=1' })
    await using broken = await serve(archiver.reader, { onError: (error) => told.push(error) })
    const answer = await ask('?server=1', {}, broken)
    const text = await answer.text()
    expect(answer.status).toBe(502)
    expect(text).toContain('CLICKHOUSE_UNREACHABLE')
    expect(text).not.toMatch(/secret|127\.0\.0\.1/)
    expect(told).toHaveLength(1)
  })

  test('503 while as many are answered as may be, and 504 for a page that takes too long', async () => {
    const gate = Promise.withResolvers<void>()
    await using slow = await serve(waiting(reader, gate.promise), { maxConcurrent: 1 })
    const first = ask('?limit=1', {}, slow)
    await waiting.asked
    const second = await ask('?limit=1', {}, slow)
    expect([second.status, second.headers.get('retry-after')]).toEqual([503, '1'])
    gate.resolve()
    expect((await first).status).toBe(200)
    expect((await ask('?limit=1', {}, slow)).status).toBe(200)
    await using late = await serve(waiting(reader, new Promise(() => undefined)), { timeoutMs: 20 })
    expect((await ask('', {}, late)).status).toBe(504)
  })

  test('504 in time also where the archive does not hear of it, which counts as running until it has answered', async () => {
    const gate = Promise.withResolvers<void>()
    const ended = Promise.withResolvers<void>()
    const deaf: Pick<ArchiveReader, 'scan'> = {
      async *scan(name, query) {
        try {
          await gate.promise
          yield* reader.scan(name, query, new AbortController().signal)
        } finally {
          ended.resolve()
        }
      },
    }
    // Long enough for the last answer on a busy machine.
    await using slow = await serve(deaf, { timeoutMs: 2_000, maxConcurrent: 1 })
    expect((await ask('?limit=1', {}, slow)).status).toBe(504)
    expect((await ask('?limit=1', {}, slow)).status).toBe(503)
    gate.resolve()
    await ended.promise
    await new Promise(setImmediate)
    expect((await ask('?limit=1', {}, slow)).status).toBe(200)
  })
})

/** A reader whose rows come when the gate is open, or the signal ends it. */
function waiting(inner: ArchiveReader, gate: Promise<void>): Pick<ArchiveReader, 'scan'> {
  const asked = Promise.withResolvers<AbortSignal>()
  waiting.asked = asked.promise
  return {
    async *scan(name: string, query: ScanQuery, signal: AbortSignal) {
      asked.resolve(signal)
      const ended = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      await Promise.race([gate, ended])
      yield* inner.scan(name, query, signal)
    },
  }
}
waiting.asked = Promise.resolve(new AbortController().signal)

test('an error in the middle of a large page cuts the connection: it is not taken for whole', async () => {
  const broken: Pick<ArchiveReader, 'scan'> = {
    async *scan(name, query, signal) {
      yield* reader.scan(name, query, signal)
      throw new Error('the archive went away')
    },
  }
  await using failing = await serve(broken)
  await expect(received(`${failing.url}/api/scores?limit=20000`)).rejects.toThrow()
})

test('whoever takes nothing of a large page is cut off when its time is over', async () => {
  const ended = Promise.withResolvers<void>()
  const endless: Pick<ArchiveReader, 'scan'> = {
    async *scan(name, query, signal) {
      try {
        for (;;) yield* reader.scan(name, query, signal)
      } finally {
        ended.resolve()
      }
    },
  }
  await using short = await serve(endless, { timeoutMs: 300 })
  const message = await new Promise<IncomingMessage>((resolve) => get(`${short.url}/api/scores`, resolve))
  // Nothing is read: more is to come than sockets hold.
  await ended.promise
  const cutOff = new Promise((resolve) => message.on('error', resolve))
  message.resume()
  await cutOff
})

test('whoever goes away ends the read', async () => {
  await using slow = await serve(waiting(reader, new Promise(() => undefined)))
  const leave = new AbortController()
  const answer = ask('', { signal: leave.signal }, slow)
  const signal = await waiting.asked
  const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve))
  leave.abort()
  await expect(answer).rejects.toThrow()
  await aborted
})

test('another path is left to whoever else answers', async () => {
  const handler = createScoresApi({ reader, table })
  const mounted = createServer(async (request, response) => {
    if (!(await handler(request, response))) response.end('something else')
  })
  await new Promise<void>((resolve) => mounted.listen(0, '127.0.0.1', resolve))
  const { port } = mounted.address() as AddressInfo // listening
  expect(await (await fetch(`http://127.0.0.1:${port}/api/status`)).text()).toBe('something else')
  expect((await fetch(`http://127.0.0.1:${port}/api/scores?limit=1`)).status).toBe(200)
  mounted.close()
  expect((await fetch(`${server.url}/elsewhere`)).status).toBe(404)
})

await describeWithClickHouse('from ClickHouse', (database) => {
  test('pages are those of any other archive', async () => {
    await using archiver = createClickHouseArchiver({
      dsn: `tcp://127.0.0.1:9000/${database.name}?http_port=${database.server.httpPort}`,
      takeoverWaitMs: 0,
    })
    await store(archiver, rows.slice(0, 3_000))
    await using clickhouse = await serve(archiver.reader)
    for (const query of ['?server=3&limit=500', '?server=3&after=1001999&to=1002999', '?monitor=4&from=2023-11-15']) {
      const [theirs, ours] = [
        await pageOf(query, clickhouse),
        await pageOf(`${query}&to=1003000`.replace(/(&to=\d+)&to.*/, '$1')),
      ]
      expect(theirs.scores.map(({ id }) => id)).toEqual(ours.scores.map(({ id }) => id))
      expect(theirs.scores[0]).toMatchObject({ sc: ours.scores[0]!.sc, ts: ours.scores[0]!.ts })
    }
  })
})
