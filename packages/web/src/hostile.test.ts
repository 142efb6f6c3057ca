import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { LIMITS } from './limits.js'
import { exampleView, type OpenWeb, openWeb } from './testing/open-web.js'

const sockets: Socket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
})

/** A connection that sends this and then nothing more. */
async function raw({ port }: OpenWeb, bytes: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  sockets.push(socket)
  socket.on('error', () => {}) // it is cut off in the middle: that is what is tested
  await once(socket, 'connect')
  socket.write(bytes)
  return socket
}

/** All that comes back, until the connection ends. */
async function answerTo(web: OpenWeb, bytes: string): Promise<string> {
  return text(await raw(web, bytes))
}

async function refused(web: OpenWeb, reason: string): Promise<number> {
  const lines = (await (await web.get('/metrics')).text()).split('\n')
  return Number(
    lines
      .find((line) => line.startsWith(`archiver_http_refused_total{reason="${reason}"}`))
      ?.split(' ')
      .at(-1),
  )
}

describe('a request that is too large', () => {
  test.each([
    ['a long path', `GET /${'a'.repeat(LIMITS.urlChars)} HTTP/1.1\r\nHost: x\r\n\r\n`, '414 URI Too Long', 'url'],
    ['a huge path', `GET /${'a'.repeat(1_000_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, '431 ', 'headers'],
    ['a huge header', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(1_000_000)}\r\n\r\n`, '431 ', 'headers'],
    ['many headers', `GET / HTTP/1.1\r\nHost: x\r\n${'X: y\r\n'.repeat(100_000)}\r\n`, '431 ', 'headers'],
    ['a body', `GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello`, '413 ', 'body'],
    [
      'a huge body',
      `GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n${'b'.repeat(100_000)}`,
      '413 ',
      'body',
    ],
    ['a body in chunks', `GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFF\r\n`, '413 ', 'body'],
    [
      'a body to be allowed',
      `GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n`,
      '413 ',
      'body',
    ],
    ['no HTTP', '\x16\x03\x01 hello\r\n\r\n', '400 ', 'malformed'],
    ['a tunnel', 'CONNECT mysql:3306 HTTP/1.1\r\nHost: x\r\n\r\n', '', 'method'],
  ])('%s is refused, counted, logged once; others are answered', async (_, bytes, status, reason) => {
    await using web = await openWeb()
    for (let i = 0; i < 3; i++) {
      const answer = await answerTo(web, bytes).catch(() => '') // the connection may be cut while it is sent
      if (status !== '' && answer !== '') expect(answer).toContain(`HTTP/1.1 ${status}`)
    }
    await vi.waitFor(async () => expect(await refused(web, reason)).toBe(3))
    expect(web.warnings).toHaveLength(1)
    expect(web.warnings[0]!.length).toBeLessThan(250)
    expect(web.warnings[0]).not.toContain('\n')
    expect((await web.get('/readyz')).status).toBe(200)
  })
})

describe('slow clients', () => {
  test.each([
    ['says nothing', ''],
    ['never ends its headers', 'GET / HTTP/1.1\r\nHost: x\r\nX-'],
  ])('one that %s is cut off', async (_, bytes) => {
    await using web = await openWeb(exampleView(), { limits: { headersMs: 200 } })
    const socket = await raw(web, bytes)
    expect(await text(socket)).toContain('408 Request Timeout')
    expect(await refused(web, 'slow-request')).toBe(1)
  })

  test('one that does not take its answer is cut off', async () => {
    const view = exampleView()
    await using web = await openWeb(view, { limits: { answerMs: 200 } })
    view.current = { ...view.current, host: 'h'.repeat(16_000_000) }
    const socket = await raw(web, 'GET /api/status HTTP/1.1\r\nHost: x\r\n\r\n')
    socket.pause()
    await vi.waitFor(() => expect(web.warnings).toEqual([expect.stringContaining('not taken in time')]))
  })

  test('a thousand of them: no more than the limit are held, and everybody else is answered', async () => {
    await using web = await openWeb(exampleView(), { limits: { headersMs: 60_000 } })
    const live = await web.get('/events')
    for (let i = 0; i < 1000; i += 50) {
      await Promise.all(Array.from({ length: 50 }, () => raw(web, 'GET /slow HTTP/1.1\r\nHost: x\r\n')))
      expect((await web.get('/readyz', { headers: { connection: 'close' } })).status).toBe(200)
    }
    const metrics = await (await web.get('/metrics')).text()
    const open = Number(/^archiver_http_connections (\d+)$/m.exec(metrics)?.[1])
    expect(open).toBeLessThanOrEqual(LIMITS.connections)
    expect(await refused(web, 'connections')).toBeGreaterThanOrEqual(1000 - LIMITS.connections)
    expect(web.warnings).toEqual([expect.stringContaining('too many connections')])
    const reader = live.body!.getReader()
    expect(new TextDecoder().decode((await reader.read()).value)).toContain('event: status') // was not dropped for them
    await reader.cancel()
  })

  test('connections that wait are closed after a while', async () => {
    await using web = await openWeb(exampleView(), { limits: { keepAliveMs: 100 } })
    const socket = await raw(web, 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
    expect(await text(socket)).toContain('200 OK')
  })
})

test('nothing that is asked takes the event loop for long', async () => {
  await using web = await openWeb()
  let longestMs = 0
  let going = true
  const watching = (async () => {
    while (going) {
      const before = performance.now()
      await delay(1)
      longestMs = Math.max(longestMs, performance.now() - before)
    }
  })()
  for (let i = 0; i < 50; i++)
    await web.get(['/metrics', '/api/history', '/api/status', '/'][i % 4]!).then((r) => r.text())
  going = false
  await watching
  expect(longestMs).toBeLessThan(500)
})
