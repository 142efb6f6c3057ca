import { afterEach, expect, test, vi } from 'vitest'
import { LIMITS } from './limits.js'
import { exampleHistory } from './testing/example-status.js'
import { exampleView, openWeb } from './testing/open-web.js'

afterEach(() => void vi.useRealTimers())

/** The events of a live page, one after another. */
async function* eventsOf(response: Response): AsyncGenerator<{ event: string; data: Record<string, unknown> }> {
  let rest = ''
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + piece).split('\n\n')
    rest = blocks.pop()!
    for (const block of blocks) {
      const [, event, data] = /^event: (\w+)\ndata: (.*)$/s.exec(block) ?? []
      if (event !== undefined) yield { event, data: JSON.parse(data!) as Record<string, unknown> } // as LivePages writes it
    }
  }
}

async function next(events: AsyncGenerator<{ event: string; data: Record<string, unknown> }>) {
  return (await events.next()).value!
}

test('a live page is told the status at once, and every change', async () => {
  const view = exampleView()
  await using web = await openWeb(view)
  const events = eventsOf(await web.get('/events'))
  expect(await next(events)).toMatchObject({
    event: 'status',
    data: { now: expect.any(String), status: { health: 'ok' } },
  })
  view.set({ health: 'failing' })
  view.setArchiver('clickhouse', { failuresInARow: 3 })
  const changed = await next(events)
  expect(changed).toMatchObject({
    event: 'status',
    data: { status: { health: 'failing', archivers: [{ failuresInARow: 3 }, {}, {}, {}] } },
  })
  await events.return(undefined)
})

test('it is told new samples, each once', async () => {
  const view = exampleView()
  await using web = await openWeb(view)
  const events = eventsOf(await web.get('/events'))
  await next(events)
  const [first, second, third] = exampleHistory(0.025, Date.now() + 90_000)
  view.addSample(first!)
  expect([(await next(events)).event, await next(events)]).toEqual([
    'status',
    expect.objectContaining({ data: expect.objectContaining({ sample: first }) }),
  ])
  view.addSample(second!)
  view.addSample(third!)
  expect((await next(events)).event).toBe('status')
  expect([(await next(events)).data.sample, (await next(events)).data.sample]).toEqual([second, third])
  await events.return(undefined)
})

test('many changes are told together', async () => {
  const view = exampleView()
  await using web = await openWeb(view)
  const events = eventsOf(await web.get('/events'))
  await next(events)
  const before = view.statusCalls
  for (let i = 0; i < 1000; i++) view.setArchiver('clickhouse', { failuresInARow: i })
  await next(events)
  expect(view.statusCalls - before).toBe(1)
  await events.return(undefined)
})

test('pages beyond the limit are refused, and have a place again later', async () => {
  await using web = await openWeb(exampleView(), { limits: { liveClients: 2 } })
  const pages = await Promise.all([web.get('/events'), web.get('/events')])
  const refused = await web.get('/events')
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '60'])
  expect(web.warnings).toEqual([expect.stringContaining('too many live pages')])
  await pages[0]!.body!.cancel()
  await vi.waitFor(async () => expect((await web.get('/events')).status).toBe(200))
})

test('a page that does not read is cut off', async () => {
  const view = exampleView()
  await using web = await openWeb(view, { limits: { liveBacklogBytes: LIMITS.liveBacklogBytes / 8 } })
  const stuck = await web.get('/events')
  const host = 'h'.repeat(4_000_000) // more than the system's buffers take
  view.set({ host })
  await vi.waitFor(() => expect(web.warnings).toEqual([expect.stringContaining('not taken in time')]))
  await expect(stuck.text()).rejects.toThrow()
})
