import { readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { archivedRow, codecs, readAvroHeader } from '@archiver/avro'
import { ordinaryRows } from '@archiver/conformance'
import { describeWithFakeGcs } from '@archiver/testkit/vitest'
import { beforeEach, describe, expect, test } from 'vitest'
import { createGcsAvroArchiver } from './gcs-avro-archiver.js'
import {
  batch,
  bytesOf,
  goFile,
  goRows,
  namesIn,
  onFault,
  opened,
  pieces,
  prepared,
  putObject,
  removeObjects,
  resourcesIn,
  rowsIn,
  store,
  stored,
  table,
  testFolder,
} from './test-support.js'

const rows = ordinaryRows(300)
const name = `2026/${rows[0]!.tsSeconds}-${rows[0]!.id}.avro`
const goName = `2026/${basename(goFile)}`

await describeWithFakeGcs('a bucket', (bucket) => {
  beforeEach(() => removeObjects(bucket))

  test.each([
    ['in one request', 2 ** 30],
    ['in an upload that can be resumed', 1],
  ])('a batch is one object, sent %s, that says what it holds', async (_, resumableFromBytes) => {
    const archiver = await prepared(bucket, { resumableFromBytes })
    const result = await store(archiver, batch(7n, rows), rows)
    const [object, ...others] = await resourcesIn(bucket)
    expect(others).toEqual([])
    expect(result).toEqual({ rows: 300, bytes: Number(object!.size), identity: name })
    expect(object).toMatchObject({
      name,
      contentType: 'avro/binary',
      cacheControl: 'public, max-age=157248000',
      metadata: {
        'archiver.table': 'log_scores',
        'archiver.batch': '7',
        'archiver.after': '1000000',
        'archiver.up_to': '1000300',
        'archiver.rows': '300',
        'archiver.first_id': '1000001',
        'archiver.last_id': '1000300',
        'archiver.id_sum': String(rows.reduce((sum, { id }) => sum + id, 0n)),
        'archiver.hash_xor': expect.stringMatching(/^\d+$/),
        'archiver.crc32c': object!.crc32c,
      },
    })
    const { metadata } = await readAvroHeader(pieces(await bytesOf(bucket, name)))
    expect(metadata).toMatchObject({ 'archiver.batch': '7', 'archiver.up_to': '1000300' })
    expect(await rowsIn(bucket)).toEqual(rows.map(archivedRow))
    expect(await stored(archiver, batch(7n, rows), rows)).toEqual({ kind: 'all', result })
  })

  test('content type and cache control are as configured', async () => {
    const archiver = await prepared(bucket, { contentType: 'application/avro', cacheControl: 'private' })
    await store(archiver, batch(1n, rows), rows)
    expect((await resourcesIn(bucket))[0]).toMatchObject({ contentType: 'application/avro', cacheControl: 'private' })
  })

  test('another table has a prefix of its own, also where that looks like a year', async () => {
    const archiver = await prepared(bucket)
    for (const other of ['log_scores_test', '2026']) {
      const planned = batch(1n, rows, { table: other })
      expect(await store(archiver, planned, rows)).toMatchObject({ identity: `${other}/${name}` })
      expect(await stored(archiver, planned, rows)).toMatchObject({ kind: 'all' })
    }
    expect(await stored(archiver, batch(1n, rows), rows)).toEqual({ kind: 'none' })
    const asDefault = await prepared(bucket, { defaultTable: 'log_scores_test' })
    expect(await store(asDefault, batch(1n, rows, { table: 'log_scores_test' }), rows)).toMatchObject({
      identity: name,
    })
  })

  test('the year is that of the first row in UTC', async () => {
    const late = rows.map((row, i) => ({ ...row, tsSeconds: Date.UTC(2027, 0, 1) / 1000 - 1 + i }))
    expect(await store(await prepared(bucket), batch(1n, late), late)).toMatchObject({
      identity: `2026/${late[0]!.tsSeconds}-1000001.avro`,
    })
  })

  test.each(codecs)('the same batch twice is one object, codec %s', async (codec) => {
    const archiver = await prepared(bucket, { codec, rowsPerBlock: 64 })
    const first = await store(archiver, batch(1n, rows), rows)
    const [before] = await resourcesIn(bucket)
    expect(await store(archiver, batch(1n, rows), rows)).toEqual(first)
    expect((await resourcesIn(bucket))[0]).toEqual(before)
  })

  test('a batch stored under other settings is complete all the same', async () => {
    const result = await store(await prepared(bucket, { codec: 'deflate', rowsPerBlock: 10 }), batch(1n, rows), rows)
    const changed = await prepared(bucket, { codec: 'null', scope: 'another' })
    expect(await stored(changed, batch(1n, rows), rows)).toEqual({ kind: 'all', result })
    expect(await store(changed, batch(1n, rows), rows)).toEqual(result)
  })

  test('warnings that the record has no field for are counted', async () => {
    const warned = rows.with(3, { ...rows[3]!, warning: 'odd' })
    expect(await store(await prepared(bucket), batch(1n, warned), warned)).toMatchObject({
      conversions: { warningDropped: 1 },
    })
  })

  test('the spool is empty after a batch, a batch without rows, and a refused one; leftovers of this table are swept', async () => {
    const spoolPath = await testFolder()
    const archiver = await prepared(bucket, { spoolPath })
    await store(archiver, batch(1n, rows), rows)
    await store(archiver, batch(2n, []), [])
    const unfit = rows.with(20, { ...rows[20]!, serverId: 2 ** 31 })
    await expect(store(archiver, batch(3n, unfit), unfit)).rejects.toMatchObject({ code: 'ROW_UNFIT' })
    expect(await namesIn(spoolPath)).toEqual([])
    const names = ['gcsavro,log_scores,4', 'gcsavro,log_scores_test,4', 'bigquery,log_scores,4']
    for (const part of names) await writeFile(join(spoolPath, `.archiver,archiver.${part},x.tmp`), 'x')
    await archiver.prepare(table)
    expect(await namesIn(spoolPath)).toEqual(
      names
        .slice(1)
        .map((part) => `.archiver,archiver.${part},x.tmp`)
        .sort(),
    )
  })

  describe('a lease that ends', () => {
    test.each([1, 2 ** 30])(
      'at any point before the object is whole leaves none (resumable from %i bytes)',
      async (from) => {
        const archiver = await prepared(bucket, { resumableFromBytes: from })
        let checks = 0
        const leaseFor = (allowed: number) => {
          checks = 0
          const assertHeld = () => {
            if (checks++ === allowed) throw new Error('no more')
          }
          return { signal: new AbortController().signal, assertHeld }
        }
        await store(archiver, batch(1n, rows), rows, leaseFor(Number.POSITIVE_INFINITY))
        const total = checks
        expect(total).toBeGreaterThan(3)
        await removeObjects(bucket)
        for (let allowed = 0; allowed < total; allowed++) {
          await expect(store(archiver, batch(1n, rows), rows, leaseFor(allowed))).rejects.toThrow('no more')
          expect(await resourcesIn(bucket)).toEqual([])
        }
      },
    )
  })

  test.each([
    ['the only piece of one request', 2 ** 30, 1],
    ['the first piece of a resumable upload', 1, 1],
    ['the last piece of a resumable upload', 1, 2],
  ])('a lease that ends right before %s leaves no object', async (_, resumableFromBytes, piece) => {
    const archiver = await prepared(bucket, { resumableFromBytes })
    const large = ordinaryRows(2000).map((row) => ({ ...row, error: 'x'.repeat(600) }))
    let ended = false
    let pieces = 0
    onFault((point) => {
      if (point === 'gcs.sending' && ++pieces === piece) ended = true
    })
    const assertHeld = () => {
      if (ended) throw new Error('the lock is lost')
    }
    const lease = { signal: new AbortController().signal, assertHeld }
    await expect(store(archiver, batch(1n, large), large, lease)).rejects.toThrow('the lock is lost')
    expect(pieces).toBe(piece)
    expect(await resourcesIn(bucket)).toEqual([])
  })

  test('faults can strike when the batch is spooled, on its way, and there', async () => {
    const points: string[] = []
    onFault((point) => void points.push(point))
    await store(await prepared(bucket), batch(1n, rows), rows)
    expect(points).toEqual(['gcs.spooled', 'gcs.sending', 'gcs.uploaded'])
  })

  describe('a name that is taken', () => {
    test('by another batch: both are named, the object stays', async () => {
      const archiver = await prepared(bucket)
      await store(archiver, batch(1n, rows), rows)
      const before = await resourcesIn(bucket)
      const again = rows.slice(0, 200)
      await expect(store(archiver, batch(2n, again), again)).rejects.toMatchObject({
        code: 'GCS_OBJECT_TAKEN',
        message: expect.stringMatching(
          /batch 1 of log_scores \(ids above 1000000, up to 1000300\).*batch 2 of log_scores \(ids above 1000000, up to 1000200\)/,
        ),
        place: { table, upToId: 1000200n },
      })
      expect(await resourcesIn(bucket)).toEqual(before)
    })

    test('by this batch with other rows (of another installation): it stays', async () => {
      const archiver = await prepared(bucket)
      const others = rows.with(200, { ...rows[200]!, serverId: 4711 })
      await store(archiver, batch(1n, others), others)
      const before = await resourcesIn(bucket)
      await expect(store(archiver, batch(1n, rows), rows)).rejects.toMatchObject({ code: 'GCS_OBJECT_TAKEN' })
      expect(await resourcesIn(bucket)).toEqual(before)
    })

    test('by the Go program with these rows: its object is ours', async () => {
      const source = await goRows()
      const bytes = await readFile(goFile)
      await putObject(bucket, goName, bytes)
      const archiver = await prepared(bucket)
      const result = await store(archiver, batch(1n, source), source)
      expect(result).toEqual({ rows: 1000, bytes: bytes.length, identity: goName })
      expect(await bytesOf(bucket, goName)).toEqual(bytes)
      expect(await stored(archiver, batch(1n, source), source)).toEqual({ kind: 'all', result })
    })

    test.each([
      ['fewer', (source: readonly unknown[]) => source.slice(0, 900), /goes on with row 1000901/],
      ['more', (source: readonly object[]) => [...source, { ...source[0], id: 2_000_000n }], /ends before row 2000000/],
      ['other', (source: readonly object[]) => source.with(500, { ...source[500], rtt: 1 }), /row 1000501, column rtt/],
    ])('by the Go program with %s rows: the difference is named, the object stays', async (_, change, message) => {
      const source = await goRows()
      await putObject(bucket, goName, await readFile(goFile))
      const changed = change(source) as typeof source // rows again, whatever was done to them
      await expect(store(await prepared(bucket), batch(1n, changed), changed)).rejects.toMatchObject({
        code: 'GCS_OBJECT_TAKEN',
        message: expect.stringMatching(message),
      })
      expect(await bytesOf(bucket, goName)).toEqual(await readFile(goFile))
    })

    test.each([0, 3, 100, 20_000])(
      'by an object of the Go program cut after %i bytes: it is replaced',
      async (length) => {
        const source = await goRows()
        await putObject(bucket, goName, (await readFile(goFile)).subarray(0, length))
        const archiver = await prepared(bucket)
        expect(await stored(archiver, batch(1n, source), source)).toEqual({ kind: 'none' })
        await store(archiver, batch(1n, source), source)
        expect(await rowsIn(bucket)).toEqual(source)
      },
    )
  })

  describe('findStored()', () => {
    test('part of the range in an object of another batch: exactly its ids, and the rest makes it whole', async () => {
      const archiver = await prepared(bucket)
      const part = rows.slice(0, 120)
      await store(archiver, batch(1n, part), part)
      const planned = batch(9n, rows)
      const ids = BigUint64Array.from(part, ({ id }) => id)
      expect(await stored(archiver, planned, rows)).toEqual({ kind: 'some', ids })
      await store(archiver, planned, rows.slice(120))
      expect(await stored(archiver, planned, rows)).toMatchObject({
        kind: 'all',
        result: { rows: 300, identity: '2026/1792022400-1000001.avro, 2026/1792022520-1000121.avro' },
      })
    })

    test('a row whose server changed is found though ids and counts agree', async () => {
      const archiver = await prepared(bucket)
      await store(archiver, batch(1n, rows), rows)
      const changed = rows.with(16, { ...rows[16]!, serverId: 77 })
      await expect(stored(archiver, batch(1n, rows), changed)).rejects.toMatchObject({
        code: 'AVRO_ARCHIVE_CONTRADICTS',
        message: expect.stringContaining('differ at row 1000017, column server_id'),
      })
    })

    test('an object that lost its custom metadata is read', async () => {
      const archiver = await prepared(bucket)
      const result = await store(archiver, batch(1n, rows), rows)
      await putObject(bucket, name, await bytesOf(bucket, name))
      expect((await resourcesIn(bucket))[0]!.metadata).toBeUndefined()
      expect(await stored(archiver, batch(1n, rows), rows)).toEqual({ kind: 'all', result })
    })

    test('an object on the second page of a listing is found', async () => {
      const archiver = await prepared(bucket)
      const before = Array.from({ length: 1001 }, (_, i) => `2026/${1_700_000_000 + i}-${1 + i}.avro`)
      const metadata = { 'archiver.table': table, 'archiver.batch': '1', 'archiver.up_to': '1500' }
      for (const object of before) await putObject(bucket, object, Buffer.alloc(0), metadata)
      const result = await store(archiver, batch(2n, rows), rows)
      expect(await stored(archiver, batch(2n, rows), rows)).toEqual({ kind: 'all', result })
    })
  })

  test('an object that does not hold what was sent is replaced', async () => {
    const archiver = await prepared(bucket)
    await store(archiver, batch(1n, rows), rows)
    await putObject(bucket, name, Buffer.from('rubbish'), (await resourcesIn(bucket))[0]!.metadata)
    expect(await stored(archiver, batch(1n, rows), rows)).toEqual({ kind: 'none' })
    await store(archiver, batch(1n, rows), rows)
    expect(await rowsIn(bucket)).toEqual(rows.map(archivedRow))
  })

  test('a bucket that is not there is named, at prepare() and when it goes away later', async () => {
    const missing = { ...bucket, name: 'no-such-bucket' }
    const expected = { code: 'GCS_BUCKET', message: expect.stringContaining('gs://no-such-bucket'), retryable: false }
    await expect(prepared(missing)).rejects.toMatchObject(expected)
    for (const resumableFromBytes of [1, 2 ** 30]) {
      const archiver = await opened(missing, { resumableFromBytes })
      await expect(store(archiver, batch(1n, rows), rows)).rejects.toMatchObject(expected)
      await expect(stored(archiver, batch(1n, rows), rows)).rejects.toMatchObject(expected)
    }
  })

  test('a spool without room, or that is no folder, is named', async () => {
    const archiver = await prepared(bucket, { batch: { maxRows: 1e15 } })
    await expect(store(archiver, batch(1n, rows, { upToId: 10n ** 14n }), rows)).rejects.toMatchObject({
      code: 'SPOOL_FULL',
      message: expect.stringMatching(/^spool_path: /),
    })
    await expect(createGcsAvroArchiver({ bucket: 'b', spoolPath: '/nowhere' }).validate!()).rejects.toMatchObject({
      code: 'SPOOL_PATH',
    })
  })
})
