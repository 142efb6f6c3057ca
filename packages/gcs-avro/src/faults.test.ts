import { archivedRow } from '@archiver/avro'
import { ordinaryRows } from '@archiver/conformance'
import type { GcsFault } from '@archiver/testkit'
import { describeWithFakeGcs } from '@archiver/testkit/vitest'
import { beforeEach, describe, expect, test } from 'vitest'
import { batch, bytesOf, opened, proxyTo, removeObjects, resourcesIn, rowsIn, store, stored } from './test-support.js'

const rows = ordinaryRows(300)
/** More than a megabyte: an upload of it can be cut in the middle. */
const large = ordinaryRows(2000).map((row) => ({ ...row, error: `${row.id} `.repeat(70) }))
const inSessions = { resumableFromBytes: 1 }

await describeWithFakeGcs('Cloud Storage that', (bucket) => {
  beforeEach(() => removeObjects(bucket))

  async function besideProxy(options = {}) {
    const proxy = await proxyTo(bucket)
    const archiver = await opened(bucket, { emulatorHost: proxy.url, ...options })
    const steps = () => proxy.requests.map(({ step }) => step)
    return { proxy, archiver, steps }
  }

  test.each<[string, GcsFault, object, string[]]>([
    ['one request', { on: 'post', kind: 'lose-answer' }, {}, ['post', 'post', 'look']],
    ['a resumable upload', { on: 'send', kind: 'lose-answer' }, inSessions, ['begin', 'send', 'progress']],
  ])('takes %s and loses the answer: stored once', async (_, fault, options, expected) => {
    const { proxy, archiver, steps } = await besideProxy(options)
    proxy.fail(fault)
    expect(await store(archiver, batch(1n, rows), rows)).toMatchObject({ rows: 300 })
    expect(steps()).toEqual(expected)
    expect(await rowsIn(bucket)).toEqual(rows.map(archivedRow))
  })

  test('cuts an upload in the middle, twice: it goes on where it was', async () => {
    const { proxy, archiver, steps } = await besideProxy(inSessions)
    proxy.fail({ on: 'send', kind: 'cut', afterBytes: 300_000 }, { on: 'send', kind: 'cut', afterBytes: 600_000 })
    const { bytes } = await store(archiver, batch(1n, large), large)
    expect(steps()).toEqual(['begin', 'send', 'progress', 'send', 'progress', 'send'])
    const sent = proxy.requests.filter(({ step }) => step === 'send').map(({ headers }) => headers['content-range'])
    expect(sent).toEqual([0, 262_144, 786_432].map((from) => `bytes ${from}-${bytes - 1}/${bytes}`))
    expect(await rowsIn(bucket)).toEqual(large.map(archivedRow))
  })

  test('forgets a session: a new one is begun', async () => {
    const { proxy, archiver, steps } = await besideProxy(inSessions)
    proxy.fail({ on: 'send', kind: 'cut', afterBytes: 300_000 }, { on: 'progress', kind: 'answer', status: 410 })
    await store(archiver, batch(1n, large), large)
    expect(steps()).toEqual(['begin', 'send', 'progress', 'begin', 'send'])
    expect(await rowsIn(bucket)).toEqual(large.map(archivedRow))
  })

  describe.each([503, 500, 429, 408])('answers %i', (status) => {
    test.each<[GcsFault['on'], object]>([
      ['post', {}],
      ['begin', inSessions],
      ['send', inSessions],
    ])('a few times when asked to %s: tried again', async (on, options) => {
      const { proxy, archiver, steps } = await besideProxy(options)
      proxy.fail({ on, kind: 'answer', status, times: 3 })
      expect(await store(archiver, batch(1n, rows), rows)).toMatchObject({ rows: 300 })
      expect(steps().filter((step) => step === on)).toHaveLength(4)
    })

    test('for long: given up, for the engine to try again', async () => {
      const { proxy, archiver } = await besideProxy()
      proxy.fail({ on: 'post', kind: 'answer', status, times: 5 })
      await expect(store(archiver, batch(1n, rows), rows)).rejects.toMatchObject({
        code: 'GCS_BUSY',
        retryable: true,
        place: { archiver: 'gcsavro', table: 'log_scores', upToId: 1_000_300n },
      })
      expect(await resourcesIn(bucket)).toEqual([])
    })
  })

  test.each<[GcsFault['on'], object]>([
    ['post', {}],
    ['begin', inSessions],
    ['send', inSessions],
  ])('stalls when asked to %s: given up after a while, and tried again', async (on, options) => {
    const { proxy, archiver } = await besideProxy({
      ...options,
      patience: { firstWaitMs: 1, longestWaitMs: 1, answerLimitMs: 300 },
    })
    proxy.fail({ on, kind: 'stall' })
    expect(await store(archiver, batch(1n, large), large)).toMatchObject({ rows: 2000 })
  })

  test.each<[GcsFault['on'], object]>([
    ['post', {}],
    ['send', inSessions],
  ])('gets other bytes than were sent (%s): it takes none, and what is sent again is whole', async (on, options) => {
    const { proxy, archiver, steps } = await besideProxy(options)
    proxy.fail({ on, kind: 'replace', in: 'request', what: 'i/o timeout', by: 'i/o tameout' })
    await store(archiver, batch(1n, rows), rows)
    expect(steps().filter((step) => step === on)).toHaveLength(2)
    const conditions = proxy.requests
      .map(({ query }) => query.get('ifGenerationMatch'))
      .filter((value) => value !== null)
    expect(conditions).toEqual(['0', '0'])
    expect(await rowsIn(bucket)).toEqual(rows.map(archivedRow))
  })

  test('answers with another checksum than was sent: it is asked again what is there', async () => {
    const { proxy, archiver, steps } = await besideProxy()
    const { bytes } = await store(archiver, batch(1n, rows), rows)
    const { crc32c } = (await resourcesIn(bucket))[0]!
    await removeObjects(bucket)
    proxy.fail({ on: 'post', kind: 'replace', what: `"crc32c":"${crc32c}"`, by: '"crc32c":"AAAAAA=="' })
    expect(await store(archiver, batch(1n, rows), rows)).toMatchObject({ bytes })
    expect(steps()).toEqual(['post', 'post', 'post'])
  })

  test('has the name taken by another batch while ours is sent: both are named, nothing is overwritten', async () => {
    for (const options of [{}, inSessions]) {
      await removeObjects(bucket)
      const { proxy, archiver } = await besideProxy(options)
      const other = await opened(bucket)
      const part = rows.slice(0, 100)
      const on = options === inSessions ? 'send' : 'post'
      proxy.fail({ on, kind: 'meanwhile', act: async () => void (await store(other, batch(2n, part), part)) })
      await expect(store(archiver, batch(1n, rows), rows)).rejects.toMatchObject({
        code: 'GCS_OBJECT_TAKEN',
        message: expect.stringContaining('batch 2 of log_scores'),
      })
      expect(await rowsIn(bucket)).toEqual(part.map(archivedRow))
    }
  })

  test('has the same batch stored by a successor while ours is sent: that is our success too', async () => {
    for (const options of [{}, inSessions]) {
      await removeObjects(bucket)
      const { proxy, archiver } = await besideProxy(options)
      const successor = await opened(bucket, { codec: 'deflate' })
      const on = options === inSessions ? 'send' : 'post'
      let result: unknown
      const act = async () => {
        result = await store(successor, batch(1n, rows), rows)
      }
      proxy.fail({ on, kind: 'meanwhile', act })
      expect(await store(archiver, batch(1n, rows), rows)).toEqual(result)
      expect(await resourcesIn(bucket)).toHaveLength(1)
    }
  })

  test('answers 412 though nothing is there: tried again, and given up in the end', async () => {
    const { proxy, archiver } = await besideProxy()
    proxy.fail({ on: 'post', kind: 'answer', status: 412, reason: 'conditionNotMet' })
    expect(await store(archiver, batch(1n, rows), rows)).toMatchObject({ rows: 300 })
    await removeObjects(bucket)
    proxy.fail({ on: 'post', kind: 'answer', status: 412, reason: 'conditionNotMet', times: 9 })
    await expect(store(archiver, batch(1n, rows), rows)).rejects.toMatchObject({ retryable: true })
  })

  test.each([
    [403, 'forbidden', 'x@y.iam.gserviceaccount.com does not have storage.objects.create access.', 'GCS_DENIED'],
    [403, 'retentionPolicyNotMet', "Object 'b/o' is subject to bucket's retention policy.", 'GCS_RETENTION'],
    [403, 'userProjectAccessDenied', 'x does not have serviceusage.services.use access.', 'GCS_BILLING'],
    [400, 'required', 'Bucket is a requester pays bucket but no user project provided.', 'GCS_BILLING'],
    [404, 'notFound', 'The specified bucket does not exist.', 'GCS_BUCKET'],
    [409, 'conflict', 'odd', 'GCS_REFUSED'],
  ])('answers %i, %s: said in plain words, once', async (status, reason, message, code) => {
    for (const [on, options] of [
      ['post', {}],
      ['begin', inSessions],
    ] as const) {
      const { proxy, archiver, steps } = await besideProxy(options)
      proxy.fail({ on, kind: 'answer', status, reason, message })
      await expect(store(archiver, batch(1n, rows), rows)).rejects.toMatchObject({
        code,
        retryable: false,
        message: expect.stringMatching(new RegExp(`^gs://${bucket.name}: cannot store 2026/.*${message.slice(0, 30)}`)),
        hint: expect.stringMatching(/./),
      })
      expect(steps()).toEqual([on])
    }
  })

  test('may not be listed: prepare() says so', async () => {
    const { proxy, archiver } = await besideProxy()
    proxy.fail({
      on: 'list',
      kind: 'answer',
      status: 403,
      reason: 'forbidden',
      message: 'no storage.objects.list access',
    })
    await expect(archiver.prepare('log_scores')).rejects.toMatchObject({ code: 'GCS_DENIED' })
  })

  test('cannot be reached: the address of a session is in no error', async () => {
    const { proxy, archiver } = await besideProxy(inSessions)
    proxy.fail({ on: 'send', kind: 'meanwhile', act: async () => proxy[Symbol.asyncDispose]() })
    const error = await store(archiver, batch(1n, rows), rows).catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ code: 'GCS_UNREACHABLE', retryable: true })
    expect(JSON.stringify([String(error), (error as Error).cause ?? ''])).not.toMatch(/upload_id=[^…]/)
  })

  test('cuts an object that is read, again and again: the rest is asked for', async () => {
    const { proxy, archiver, steps } = await besideProxy()
    const { bytes } = await store(await opened(bucket), batch(1n, large), large)
    proxy.fail({ on: 'read', kind: 'cut', afterBytes: 0 }, { on: 'read', kind: 'cut', afterBytes: 200_000, times: 5 })
    const found = []
    const range = { afterId: 0n, upToId: 2n ** 62n }
    for await (const chunk of archiver.reader.read('log_scores', range, new AbortController().signal)) {
      found.push(...chunk.id.subarray(0, chunk.rows))
    }
    expect(found).toEqual(large.map(({ id }) => id))
    expect(steps().filter((step) => step === 'read').length).toBeGreaterThan(5)
    expect(bytes).toBeGreaterThan(1_000_000)
  })

  test('gives other bytes of an object than it keeps: an error, however often', async () => {
    const { proxy, archiver } = await besideProxy()
    const { identity } = await store(await opened(bucket), batch(1n, rows), rows)
    expect((await bytesOf(bucket, identity)).includes('i/o timeout')).toBe(true)
    proxy.fail({ on: 'read', kind: 'replace', what: 'i/o timeout', by: 'i/o tameout' })
    const digest = archiver.reader.digest(
      'log_scores',
      { afterId: 0n, upToId: 2n ** 62n },
      new AbortController().signal,
    )
    await expect(digest).rejects.toMatchObject({ code: 'GCS_CHECKSUM', message: expect.stringContaining(identity) })
  })

  test('is asked in the name of the project that pays, every time', async () => {
    for (const options of [{}, inSessions]) {
      await removeObjects(bucket)
      const { proxy, archiver } = await besideProxy({ ...options, userProject: 'ntppool' })
      await archiver.prepare('log_scores')
      proxy.fail({ on: 'send', kind: 'lose-answer' }, { on: 'post', kind: 'lose-answer' })
      await store(archiver, batch(1n, rows), rows)
      await stored(archiver, batch(9n, rows), rows)
      await archiver.reader.missingFiles!('log_scores', ['x'], new AbortController().signal)
      const projects = proxy.requests.map(({ step, query }) => [step, query.getAll('userProject')])
      expect(projects).toEqual(projects.map(([step]) => [step, ['ntppool']]))
    }
  })

  test('is left alone when the lease’s signal aborts a wait', async () => {
    const { proxy, archiver } = await besideProxy({ patience: { firstWaitMs: 60_000, longestWaitMs: 60_000 } })
    const stop = new AbortController()
    proxy.fail({ on: 'post', kind: 'answer', status: 503 })
    const reason = new Error('the lock is lost')
    const lease = { signal: stop.signal, assertHeld: () => stop.signal.throwIfAborted() }
    const storing = store(archiver, batch(1n, rows), rows, lease)
    await expect.poll(() => proxy.requests.length).toBe(1)
    stop.abort(reason)
    await expect(storing).rejects.toBe(reason)
  })
})
