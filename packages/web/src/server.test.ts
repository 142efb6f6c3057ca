import { get } from 'node:http'
import { describe, expect, test } from 'vitest'
import { exampleArchiver, exampleFailure, exampleStatus } from './testing/example-status.js'
import { exampleView, openWeb } from './testing/open-web.js'
import { ScriptedView } from './testing/scripted-view.js'

describe('health', () => {
  const service = exampleStatus().service!
  const mysqlDown = {
    reachable: false,
    answeredAt: null,
    error: { ...exampleFailure, code: 'MYSQL_UNREACHABLE', message: 'connect\nECONNREFUSED', hint: 'Check db_host.' },
    nextTryAt: null,
    pool: null,
  }

  test.each([
    ['a leader', { service }, 200, 'ready: leader\n'],
    ['a standby', { service: { ...service, role: 'standby' as const } }, 200, 'ready: standby\n'],
    ['a starting one', { service: { ...service, role: 'starting' as const } }, 503, 'not ready: starting\n'],
    ['a stopping one', { service: { ...service, role: 'stopping' as const } }, 503, 'not ready: stopping\n'],
    [
      'one without MySQL',
      { mysql: mysqlDown },
      503,
      'not ready: MySQL is out of reach: connect ECONNREFUSED. Check db_host.\n',
    ],
  ])('%s', async (_, change, status, line) => {
    await using web = await openWeb(new ScriptedView(exampleStatus(change)))
    const ready = await web.get('/readyz')
    expect([ready.status, await ready.text()]).toEqual([status, line])
    const alive = await web.get('/healthz')
    expect([alive.status, await alive.text()]).toEqual([200, 'ok\n'])
    const asInThePool = await web.get('/__health')
    expect([asInThePool.status, await asInThePool.text()]).toEqual([200, 'ok\n'])
  })

  test('an archive that fails does not make it unready: a restart would not mend it', async () => {
    const archivers = [exampleArchiver('clickhouse', { health: 'failing', error: exampleFailure })]
    await using web = await openWeb(new ScriptedView(exampleStatus({ archivers, health: 'failing' })))
    expect((await web.get('/readyz')).status).toBe(200)
  })
})

test('answers the status and the history as they are, and the page', async () => {
  const view = exampleView()
  await using web = await openWeb(view)
  expect(await (await web.get('/api/status')).json()).toEqual(view.current)
  expect(await (await web.get('/api/history?hours=1')).json()).toEqual(view.samples)
  const page = await web.get('/')
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
  const links = [...(await page.text()).matchAll(/(?:src|href)="(page\/[^"]+)"/g)].map(([, path]) => path!)
  expect(links).toContain('page/main.js')
  for (const path of links) expect((await web.get(`/${path}`)).status).toBe(200)
})

test('the page asks no other host, and runs no script but its own', async () => {
  await using web = await openWeb()
  const page = await web.get('/')
  const policy = page.headers.get('content-security-policy')!
  expect(policy).toContain("default-src 'none'")
  expect(policy).not.toMatch(/unsafe|https?:|\*/)
  expect(await page.text()).not.toMatch(/<script>|style=|<style| on\w+=|https?:\/\//)
  for (const path of ['/', '/metrics', '/api/status', '/nowhere', '/page/main.js', '/healthz']) {
    const { headers } = await web.get(path)
    expect(headers.get('content-security-policy')).toBe(policy)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  }
})

test('HEAD gets what GET gets, without a body', async () => {
  await using web = await openWeb()
  for (const path of ['/', '/healthz', '/api/status', '/events']) {
    const head = await web.get(path, { method: 'HEAD' })
    expect([path, head.status, await head.text()]).toEqual([path, 200, ''])
  }
  const [head, get] = await Promise.all([web.get('/page/page.css', { method: 'HEAD' }), web.get('/page/page.css')])
  expect(Number(head.headers.get('content-length'))).toBe((await get.arrayBuffer()).byteLength)
})

test.each([
  '/nowhere',
  '/page/../package.json',
  '/page/%2e%2e/web.js',
  '/api',
  '//',
  '/__proto__',
  '/page/constructor',
])('%s is not found', async (path) => {
  await using web = await openWeb()
  expect((await web.get(path)).status).toBe(404)
  expect(web.warnings).toEqual([])
})

test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('%s is refused', async (method) => {
  await using web = await openWeb()
  const response = await web.get('/api/status', { method })
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  expect(web.warnings).toEqual([expect.stringContaining('only GET and HEAD are answered')])
})

test('a view that throws is a 500 without a word of it, and the server goes on', async () => {
  const view = exampleView()
  await using web = await openWeb(view)
  view.history = () => {
    throw new Error('secret')
  }
  const response = await web.get('/api/history')
  expect([response.status, await response.text()]).toEqual([500, expect.not.stringContaining('secret')])
  expect(web.warnings).toEqual([expect.stringContaining('secret')])
  expect((await web.get('/api/status')).status).toBe(200)
})

test('ends with open connections and live pages, and lets go of the view', async () => {
  const view = exampleView()
  const web = await openWeb(view)
  const live = await web.get('/events')
  await web[Symbol.asyncDispose]()
  await expect(live.text()).rejects.toThrow()
  expect(view.listeners).toBe(0)
  await expect(web.get('/healthz')).rejects.toThrow()
})

describe('the host name of a request to the loopback', () => {
  test('of another site is refused on every path, and counted', async () => {
    await using web = await openWeb(exampleView(), { hostNames: ['archiver.example'] })
    for (const path of ['/', '/api/status', '/events', '/metrics', '/nowhere']) {
      expect(await statusOf(web.port, path, 'evil.example:5000')).toBe(421)
    }
    expect(await (await web.get('/metrics')).text()).toContain('archiver_http_refused_total{reason="host"} 5')
  })

  test.each(['localhost', '127.0.0.1:1', 'archiver.example'])('%s is answered', async (host) => {
    await using web = await openWeb(exampleView(), { hostNames: ['archiver.example'] })
    expect(await statusOf(web.port, '/api/status', host)).toBe(200)
  })

  test('is not looked at where every address is listened on: a pod has names of all kinds', async () => {
    await using web = await openWeb(exampleView(), { listen: '0.0.0.0:0', hostNames: [] })
    expect(await statusOf(web.port, '/api/status', 'archiver.ntppool.svc')).toBe(200)
  })
})

/** Not with fetch(), which does not let a host be chosen. */
function statusOf(port: number, path: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, headers: { host } }, (response) => {
      response.destroy()
      resolve(response.statusCode)
    }).on('error', reject)
  })
}
