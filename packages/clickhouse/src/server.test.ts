import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { describeArchiver } from '@archiver/conformance'
import {
  batchSourceFrom,
  chunkFromRows,
  chunksFromRows,
  type LogScore,
  leaseUntil,
  type ReadableArchiver,
} from '@archiver/core'
import { createClickHouseDatabase } from '@archiver/testkit'
import { describeWithClickHouse } from '@archiver/testkit/vitest'
import fc from 'fast-check'
import { afterEach, expect, it } from 'vitest'
import { createClickHouseArchiver } from './archiver.js'
import { commitLast, cutBlocks } from './commit-last.js'
import { NativeEncoder } from './native.js'
import { queryIdOf } from './store.js'
import { columnList } from './table.js'
import { beginInsert, dsnOf, readTable, untilRunning } from './testing/clickhouse.js'
import { convert } from './testing/read-back.js'
import { batchOf, fits, hostileRows, plainRows, refusal } from './testing/rows.js'

await describeWithClickHouse('a ClickHouse server', (database) => {
  const opened: ReadableArchiver[] = []
  const open = (parameters = '', takeoverWaitMs = 20): ReadableArchiver => {
    const archiver = createClickHouseArchiver({ dsn: dsnOf(database, parameters), takeoverWaitMs })
    opened.push(archiver)
    return archiver
  }
  const start = async (table: string, parameters = '') => {
    const archiver = open(parameters)
    await archiver.prepare(table)
    return archiver
  }
  const store = (archiver: ReadableArchiver, table: string, rows: readonly LogScore[], rowsPerChunk = 1000) =>
    archiver.store(batchOf(table, rows), chunksFromRows(rows, rowsPerChunk), leaseUntil())
  const stored = (archiver: ReadableArchiver, table: string, rows: readonly LogScore[]) =>
    archiver.findStored(
      batchOf(table, rows),
      batchSourceFrom(() => chunksFromRows(rows, 1000)),
      leaseUntil(),
    )

  afterEach(async () => {
    for (const archiver of opened.splice(0)) await archiver[Symbol.asyncDispose]()
  })

  describeArchiver('clickhouse', {
    open: async () => open(),
    read: (table) => readTable(database, table),
    convert,
  })

  it('gives back any rows as documented, or refuses them by name', { timeout: 300_000 }, async () => {
    const property = fc.asyncProperty(hostileRows, async (rows) => {
      await using archiver = await start('hostile')
      await database.query('TRUNCATE TABLE hostile')
      const taken = rows.filter(fits)
      if (taken.length > 0) await store(archiver, 'hostile', taken, 40)
      expect(await readTable(database, 'hostile')).toEqual(taken.map(convert))
      const refused = rows.find((row) => !fits(row))
      if (!refused) return
      const { id, column } = refusal(refused)!
      await expect(store(archiver, 'hostile', [refused])).rejects.toMatchObject({ name: 'RowError', id, column })
    })
    await fc.assert(property, { numRuns: 30 })
  })

  it.each(['&compress=zstd', '&compress=gzip', '&compress=lz4', '&compress=none'])(
    'sends with %s',
    async (compress) => {
      const table = `t_${createHash('md5').update(compress).digest('hex')}`
      const rows = plainRows(2500)
      const archiver = await start(table, compress)
      await store(archiver, table, rows)
      expect(await readTable(database, table)).toEqual(rows)
    },
  )

  it('answers the query of the API', async () => {
    const archiver = await start('api')
    const [first, second, third] = plainRows(3) as [LogScore, LogScore, LogScore]
    const rows: LogScore[] = [
      { ...first, id: 1n, serverId: 5, tsSeconds: 1_793_491_260, score: 19.1, leap: 3, error: 'i/o timeout' },
      {
        ...second,
        id: 2n,
        serverId: 5,
        tsSeconds: 1_793_491_200,
        monitorId: null,
        offset: null,
        rtt: -1,
        warning: 'w',
      },
      { ...third, id: 3n, serverId: 6 },
    ]
    const result = await store(archiver, 'api', rows)
    expect(result).toMatchObject({
      rows: 3,
      identity: `archiver_${database.name}.api_1`,
      conversions: { rttNegative: 1 },
    })
    const columns = 'id,monitor_id,server_id,ts,toFloat64(score),toFloat64(step),offset,rtt,leap,warning,error'
    const where = "server_id=5 and ts>'2026-10-31 23:59:59'"
    const answer = await database.query(`select ${columns} from api where ${where} order by ts format JSONCompact`)
    expect(JSON.parse(answer).data).toEqual([
      ['2', 0, 5, '2026-11-01 00:00:00', 20, 1, null, null, null, 'w', null],
      ['1', 7, 5, '2026-11-01 00:01:00', Math.fround(19.1), 1, 0.001, 1000, 3, null, 'i/o timeout'],
    ])
    expect(await database.query('select distinct dt from api')).toBe('2026-11-01\n')
  })

  it('stores a batch of 250 days in three inserts, and knows them as one', async () => {
    const archiver = await start('days')
    const rows = plainRows(250, 1n, 1)
    const result = await store(archiver, 'days', rows)
    expect(await readTable(database, 'days')).toEqual(rows)
    expect(await stored(archiver, 'days', rows)).toEqual({ kind: 'all', result })
  })

  it('stores only what is missing of a batch that was stored in part', async () => {
    const archiver = await start('parts')
    const rows = plainRows(100)
    const [held, missing] = [rows.filter((_, i) => i % 3 === 0), rows.filter((_, i) => i % 3 !== 0)]
    await store(archiver, 'parts', held)
    expect(await stored(archiver, 'parts', rows)).toEqual({
      kind: 'some',
      ids: BigUint64Array.from(held, ({ id }) => id),
    })
    await archiver.store(batchOf('parts', rows), chunksFromRows(missing), leaseUntil())
    expect(await readTable(database, 'parts')).toEqual(rows)
  })

  it.each<[string, (row: LogScore) => LogScore, RegExp]>([
    ['another server', (row) => ({ ...row, serverId: 999 }), /id 3 \(there of server 999 at 2026/],
    [
      'another time',
      (row) => ({ ...row, tsSeconds: row.tsSeconds - 3600 }),
      /id 3 \(there of server 3 at 2026-10-31T23/,
    ],
  ])('does not take a row of %s for its own', async (what, change, message) => {
    const table = `foreign_${what.replace(' ', '_')}`
    const archiver = await start(table)
    const rows = plainRows(5)
    await store(archiver, table, rows.with(2, change(rows[2]!)))
    await expect(stored(archiver, table, rows)).rejects.toMatchObject({
      code: 'CLICKHOUSE_FOREIGN_ROWS',
      message: expect.stringMatching(message),
    })
  })

  it('waits for a request that was accepted and not begun once, not for each batch', async () => {
    const archiver = open('', 1_500)
    await archiver.prepare('again')
    const batches = Array.from({ length: 12 }, (_, i) => plainRows(100, 1n + BigInt(i) * 100n))
    for (const rows of batches) await store(archiver, 'again', rows)
    const startedMs = performance.now()
    await archiver.prepare('again')
    for (const rows of batches) expect(await stored(archiver, 'again', rows)).toMatchObject({ kind: 'all' })
    const elapsedMs = performance.now() - startedMs
    expect(elapsedMs).toBeGreaterThan(1_490)
    expect(elapsedMs).toBeLessThan(12 * 1_500)
  })

  it('waits again after an insert of its own has failed', async () => {
    const archiver = open('', 1_500)
    await archiver.prepare('failed')
    const rows = plainRows(100)
    await stored(archiver, 'failed', rows)
    const stop = new AbortController()
    const stopping = async function* () {
      yield* chunksFromRows(rows)
      stop.abort(new Error('the pass ends'))
    }
    await expect(archiver.store(batchOf('failed', rows), stopping(), leaseUntil(stop.signal))).rejects.toThrow()
    const startedMs = performance.now()
    await stored(archiver, 'failed', rows)
    expect(performance.now() - startedMs).toBeGreaterThan(1_490)
  })

  it('names the rows that are there twice', async () => {
    const archiver = await start('twice')
    const rows = plainRows(20)
    await store(archiver, 'twice', rows)
    await store(archiver, 'twice', rows.slice(4, 6))
    await expect(stored(archiver, 'twice', rows)).rejects.toMatchObject({
      code: 'CLICKHOUSE_DUPLICATE_ROWS',
      message: 'ClickHouse holds 2 rows (id 5, 6) more than once',
    })
  })

  it('keeps nothing of a block that its source did not finish, however much was sent', async () => {
    const archiver = await start('broken')
    const rows = plainRows(60_000)
    async function* breaks() {
      yield* chunksFromRows(rows, 10_000)
      throw new Error('the source broke')
    }
    await expect(archiver.store(batchOf('broken', rows), breaks(), leaseUntil())).rejects.toThrow('the source broke')
    expect(await stored(archiver, 'broken', rows)).toEqual({ kind: 'none' })
    expect(await readTable(database, 'broken')).toEqual([])
  })

  it('finishes a large batch that was cut off after whole blocks', async () => {
    const archiver = await start('large')
    const rows = plainRows(300_000)
    const batch = batchOf('large', rows)
    async function* breaks() {
      yield* chunksFromRows(rows, 10_000)
      throw new Error('the source broke')
    }
    await expect(archiver.store(batch, breaks(), leaseUntil())).rejects.toThrow('the source broke')
    const answer = await stored(archiver, 'large', rows)
    if (answer.kind !== 'some') throw new Error(`whole blocks were sent, and the archive holds ${answer.kind}`)
    expect(answer.ids.length % 10_000).toBe(0)
    const held = new Set(answer.ids)
    const missing = rows.filter(({ id }) => !held.has(id))
    await archiver.store(batch, chunksFromRows(missing), leaseUntil())
    expect(await database.query('SELECT count(), uniqExact(id) FROM large')).toBe('300000\t300000\n')
    expect(await stored(archiver, 'large', rows)).toMatchObject({ kind: 'all', result: { rows: 300_000 } })
  })

  it('asks the lease once more before the byte that makes the insert count', async () => {
    const archiver = await start('lease')
    const rows = plainRows(1000)
    let sent = false
    async function* chunks() {
      yield* chunksFromRows(rows, 100)
      sent = true
    }
    const assertHeld = () => {
      if (sent) throw new Error('the lock is lost')
    }
    const lease = { signal: new AbortController().signal, assertHeld }
    await expect(archiver.store(batchOf('lease', rows), chunks(), lease)).rejects.toThrow('the lock is lost')
    expect(await stored(archiver, 'lease', rows)).toEqual({ kind: 'none' })
  })

  it('a body that its sender leaves is taken for whole where it ends between blocks; ours never does', async () => {
    await start('left')
    const rows = plainRows(60_000)
    const sql = `INSERT INTO left (${columnList}) FORMAT Native`
    const die = async (queryId: string, body: Uint8Array[]) => {
      const insert = beginInsert(database, sql, queryId, body)
      await untilRunning(database, queryId, true)
      insert.die()
      await untilRunning(database, queryId, false)
    }
    await die('ours', await withoutLast(commitLast(cutBlocks(blocksOf(rows)), leaseUntil(), async () => {})))
    expect(await readTable(database, 'left')).toEqual([])
    await die('theirs', await Array.fromAsync(blocksOf(rows)))
    expect(await readTable(database, 'left')).toHaveLength(60_000)
  })

  it('findStored() waits for a statement of the batch that still runs', async () => {
    const archiver = await start('running')
    const rows = plainRows(60_000)
    const body = await Array.fromAsync(blocksOf(rows))
    const insert = beginInsert(
      database,
      `INSERT INTO running (${columnList}) FORMAT Native`,
      `archiver_${database.name}.running_1`,
      body,
    )
    await untilRunning(database, `archiver_${database.name}.running_1`, true)
    let left = false
    const answer = stored(archiver, 'running', rows).then((answer) => ({ answer, left }))
    await untilKillWasTried()
    left = true
    insert.die()
    expect(await answer).toMatchObject({ left: true, answer: { kind: 'all' } })
  })

  it('stored() waits for an insert that the server has received in part and not begun', async () => {
    const rows = plainRows(60)
    const frozen = await start('unbegun', '&min_insert_block_size_rows=1&min_insert_block_size_bytes=1')
    const archiver = await start('unbegun')
    const stop = new AbortController()
    const gate = Promise.withResolvers<void>()
    const writing = frozen.store(batchOf('unbegun', rows), stallAfter(rows.slice(0, 40), gate.resolve, stop.signal), {
      signal: stop.signal,
      assertHeld: () => stop.signal.throwIfAborted(),
    })
    const failed = expect(writing).rejects.toThrow()
    await gate.promise
    let left = false
    const answer = stored(archiver, 'unbegun', rows).then((held) => ({ held, left }))
    await untilKillWasTried()
    left = true
    stop.abort(new Error('the process died'))
    await failed
    expect(await answer).toMatchObject({ left: true, held: { kind: 'some' } })
    expect((await readTable(database, 'unbegun')).length).toBeGreaterThan(0)
  })

  /** Chunks of 20 rows, then none until the signal. */
  async function* stallAfter(rows: readonly LogScore[], stalled: () => void, signal: AbortSignal) {
    yield* chunksFromRows(rows, 20)
    stalled()
    await once(signal, 'abort')
    signal.throwIfAborted()
  }

  it('another installation on the same server is not in the way', async () => {
    const theirs = await createClickHouseDatabase(database.server)
    const rows = plainRows(60_000)
    const archiver = await start('shared')
    await using theirArchiver = createClickHouseArchiver({ dsn: dsnOf(theirs), takeoverWaitMs: 20 })
    await theirArchiver.prepare('shared')
    const queryId = queryIdOf(theirs.name, batchOf('shared', rows))
    const body = await Array.fromAsync(blocksOf(rows))
    const insert = beginInsert(theirs, `INSERT INTO shared (${columnList}) FORMAT Native`, queryId, body)
    await untilRunning(theirs, queryId, true)
    expect(await stored(archiver, 'shared', rows)).toEqual({ kind: 'none' })
    expect(await store(archiver, 'shared', rows)).toMatchObject({ rows: 60_000 })
    insert.die()
    await untilRunning(theirs, queryId, false)
    await theirs.drop()
  })

  /** The adapter gives a statement 20 ms, then kills it; 18.16 goes on all the same. */
  async function untilKillWasTried(): Promise<void> {
    for (let i = 0; i < 20; i++) await database.query('SELECT 1')
  }

  it('uses the first host that answers', async () => {
    const { host, tcpPort, httpPort } = database.server
    const dsn = `tcp://127.0.0.2:1,${host}:${tcpPort}/${database.name}?http_port=${httpPort}`
    await using archiver = createClickHouseArchiver({ dsn, takeoverWaitMs: 0 })
    await archiver.prepare('hosts')
    const rows = plainRows(10)
    const result = await store(archiver, 'hosts', rows)
    expect(await stored(archiver, 'hosts', rows)).toEqual({ kind: 'all', result })
  })
})

async function* blocksOf(rows: readonly LogScore[]): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < rows.length; at += 10_000) {
    const page = rows.slice(at, at + 10_000)
    yield new NativeEncoder().encode({ chunk: chunkFromRows(page), from: 0, to: page.length }).bytes
  }
}

async function withoutLast(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  return (await Array.fromAsync(pieces)).slice(0, -1)
}
