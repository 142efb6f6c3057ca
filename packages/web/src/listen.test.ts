import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { parseListen } from './listen.js'
import { openWeb } from './testing/open-web.js'

test.each([
  [':5000', { host: undefined, port: 5000 }],
  ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
  ['[::1]:5000', { host: '::1', port: 5000 }],
  ['localhost:80', { host: 'localhost', port: 80 }],
])('%s', (text, address) => expect(parseListen(text)).toEqual(address))

test.each([
  '5000',
  '',
  ':',
  ':99999',
  ':http',
  '127.0.0.1',
  '300.0.0.1:80',
  '[::zz]:80',
  '[1.2.3]:80',
  '::1:5000',
  'a b:80',
  ':-1',
])('%j is refused, with what would do', (text) => {
  expect(() => parseListen(text)).toThrow(
    expect.objectContaining({ code: 'HTTP_LISTEN_BAD', hint: expect.stringContaining('127.0.0.1:5000') }),
  )
})

describe('where it cannot be listened', () => {
  test('a port that is taken', async () => {
    await using first = await openWeb()
    await expect(openWeb(undefined, { listen: `127.0.0.1:${first.port}` })).rejects.toMatchObject({
      code: 'HTTP_PORT_TAKEN',
      message: expect.stringContaining(`127.0.0.1:${first.port}`),
      hint: expect.stringContaining('http_listen'),
    })
    expect((await first.get('/healthz')).status).toBe(200)
  })

  test('an address that this machine does not have', async () => {
    await expect(openWeb(undefined, { listen: '192.0.2.1:0' })).rejects.toMatchObject({
      code: 'HTTP_LISTEN_BAD',
      message: expect.stringContaining('does not have that address'),
    })
  })

  test('leaves nothing listening to the view', async () => {
    const { exampleView } = await import('./testing/open-web.js')
    const view = exampleView()
    const taken = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => taken.once('listening', resolve))
    const address = taken.address()
    const port = typeof address === 'object' ? address?.port : 0
    await expect(openWeb(view, { listen: `127.0.0.1:${port}` })).rejects.toThrow('taken')
    expect(view.listeners).toBe(0)
    taken.close()
  })
})
