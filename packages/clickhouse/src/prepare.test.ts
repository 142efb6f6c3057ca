import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer, type Socket } from 'node:net'
import { batchSourceFrom, chunksFromRows, leaseUntil } from '@archiver/core'
import { freePort } from '@archiver/testkit'
import { describeWithClickHouse } from '@archiver/testkit/vitest'
import { describe, expect, it } from 'vitest'
import { createClickHouseArchiver } from './archiver.js'
import { dsnOf, proxyTo, readTable } from './testing/clickhouse.js'
import { batchOf, plainRows } from './testing/rows.js'

const schema = `dt Date, id UInt64, monitor_id UInt32, server_id UInt32, ts DateTime, score Float32, step Float32,
  offset Nullable(Float64), rtt Nullable(UInt32), leap Nullable(UInt8), warning Nullable(String), error Nullable(String)`
const mergeTree = 'ENGINE = MergeTree PARTITION BY dt ORDER BY (server_id, ts)'

async function prepare(dsn: string, table: string): Promise<void> {
  await using archiver = createClickHouseArchiver({ dsn })
  await archiver.prepare(table)
}

await describeWithClickHouse('prepare() on a server', (database) => {
  it('creates the table as documented', async () => {
    await prepare(dsnOf(database), 'created')
    const types = await database.query(
      "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = 'created'",
    )
    expect(
      types
        .trim()
        .split('\n')
        .map((line) => line.replace('\t', ' '))
        .join(', '),
    ).toBe(schema.replace(/\s+/g, ' '))
    const text = await database.query('SHOW CREATE TABLE created')
    expect(text).toContain('ENGINE = MergeTree PARTITION BY dt ORDER BY (server_id, ts)')
  })

  it('says beforehand what it runs, and runs nothing else', async () => {
    await using archiver = createClickHouseArchiver({ dsn: dsnOf(database) })
    const statements = await archiver.pendingDdl!('planned')
    expect(await database.query('EXISTS TABLE planned')).toBe('0\n')
    expect(statements).toMatchObject([
      expect.stringContaining(`CREATE TABLE IF NOT EXISTS \`${database.name}\`.\`planned\``),
    ])
    for (const statement of statements) await database.query(statement)
    expect(await archiver.pendingDdl!('planned')).toEqual([])
    const made = await database.query('SHOW CREATE TABLE planned')
    await archiver.prepare('planned')
    expect(await database.query('SHOW CREATE TABLE planned')).toBe(made)
  })

  it.each<[name: string, columns: string, engine: string, message: string]>([
    ['narrow', schema.replace('id UInt64', 'id UInt32'), mergeTree, 'the column id is UInt32, UInt64 is needed'],
    [
      'zero',
      schema.replace('offset Nullable(Float64)', 'offset Float64'),
      mergeTree,
      'offset is Float64, Nullable(Float64) is',
    ],
    [
      'short',
      schema.replace(', warning Nullable(String)', ''),
      mergeTree,
      'the column warning is missing, Nullable(String)',
    ],
    [
      'computed',
      schema.replace('dt Date', 'dt Date MATERIALIZED toDate(ts)'),
      mergeTree,
      'the column dt is MATERIALIZED',
    ],
    ['replacing', schema, mergeTree.replace('Merge', 'ReplacingMerge'), 'its engine is ReplacingMergeTree'],
    ['memory', schema, 'ENGINE = Memory', 'its engine is Memory'],
  ])('refuses an existing table that would not keep the rows: %s', async (name, columns, engine, message) => {
    await database.query(`CREATE TABLE ${name} (${columns}) ${engine}`)
    const refusal = {
      code: 'CLICKHOUSE_TABLE',
      message: expect.stringContaining(`${database.name}.${name} does not fit: `) && expect.stringContaining(message),
      hint: expect.stringContaining('docs/archives/clickhouse.md'),
    }
    await expect(prepare(dsnOf(database), name)).rejects.toMatchObject(refusal)
    await using archiver = createClickHouseArchiver({ dsn: dsnOf(database) })
    await expect(archiver.pendingDdl!(name)).rejects.toMatchObject(refusal)
  })

  it('refuses a Distributed table over one that would not keep the rows', async () => {
    await database.query(`CREATE TABLE behind (${schema}) ${mergeTree.replace('Merge', 'ReplacingMerge')}`)
    await database.query(`CREATE TABLE kept (${schema}) ${mergeTree}`)
    const over = (name: string) => `ENGINE = Distributed(alone, ${database.name}, ${name})`
    await database.query(`CREATE TABLE door (${schema}) ${over('behind')}`)
    await database.query(`CREATE TABLE good_door (${schema}) ${over('kept')}`)
    await expect(prepare(dsnOf(database), 'door')).rejects.toMatchObject({
      code: 'CLICKHOUSE_TABLE',
      message: expect.stringContaining('Distributed over a table whose engine is ReplacingMergeTree'),
    })
    await prepare(dsnOf(database), 'good_door')
  })

  it('takes a table whose types hold the same, and columns of its own', async () => {
    const columns = `${schema.replace('ts DateTime', "ts DateTime('Asia/Tokyo')")}, added DateTime DEFAULT now(), n UInt8`
    await database.query(`CREATE TABLE similar (${columns}) ${mergeTree}`)
    await using archiver = createClickHouseArchiver({ dsn: dsnOf(database), takeoverWaitMs: 0 })
    await archiver.prepare('similar')
    const rows = plainRows(100)
    const result = await archiver.store(batchOf('similar', rows), chunksFromRows(rows), leaseUntil())
    expect(await readTable(database, 'similar')).toEqual(rows)
    const answer = await archiver.findStored(
      batchOf('similar', rows),
      batchSourceFrom(() => chunksFromRows(rows)),
      leaseUntil(),
    )
    expect(answer).toEqual({ kind: 'all', result })
  })

  it('says in one line what is wrong, and no secret', async () => {
    const { host, tcpPort, httpPort } = database.server
    const at = (user: string, name: string, port: number) =>
      `tcp://${user}${host}:${tcpPort}/${name}?http_port=${port}&dial_timeout=300ms`
    const down = await freePort()
    const cases: [dsn: string, code: string, message: RegExp][] = [
      [at('', database.name, down), 'CLICKHOUSE_UNREACHABLE', /^ch_dsn: no ClickHouse answers at http:.*ECONNREFUSED/],
      [at('', 'nowhere', httpPort), 'CLICKHOUSE_DATABASE', /Database nowhere doesn't exist \(ch_dsn /],
      [at('default:hush-hush@', database.name, httpPort), 'CLICKHOUSE_LOGIN', /Wrong password for user default/],
      [at('nobody:hush-hush@', database.name, httpPort), 'CLICKHOUSE_LOGIN', /user nobody/],
      [`${at('', database.name, httpPort)}&max_treads=4`, 'CLICKHOUSE_SETTING', /Unknown setting max_treads/],
    ]
    for (const [dsn, code, message] of cases) {
      const error = await prepare(dsn, 't').catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code, message: expect.stringMatching(message), hint: expect.stringMatching(/./) })
      expect(error).not.toMatchObject({ message: expect.stringMatching(/hush|\n/) })
    }
  })

  it.each([
    [
      'a proxy whose server is away',
      502,
      '<html><title>502 Bad Gateway</title></html>',
      /answered with an error at .*502 Bad Gateway/,
    ],
    ['a server in trouble', 500, 'Code: 999. DB::Exception: Keeper', /answered with an error at .*Keeper/],
  ])('says that %s answered', async (_, status, body, message) => {
    const server = createHttpServer((_request, response) => response.writeHead(status).end(body)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo // a listening TCP server has one
    const error = await prepare(`http://127.0.0.1:${port}/x`, 't').catch((thrown: unknown) => thrown)
    server.close()
    expect(error).toMatchObject({
      code: 'CLICKHOUSE_UNREACHABLE',
      retryable: true,
      message: expect.stringMatching(message),
    })
  })

  it('does not wait for ever for a host that takes the connection and says nothing', async () => {
    const sockets: Socket[] = []
    const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo // a listening TCP server has one
    await expect(prepare(`tcp://127.0.0.1/x?http_port=${port}&dial_timeout=100ms`, 't')).rejects.toMatchObject({
      code: 'CLICKHOUSE_UNREACHABLE',
      retryable: true,
      message: expect.stringContaining('no answer in time'),
    })
    for (const socket of sockets) socket.destroy()
    silent.close()
  })

  describe('store() where the insert fails', () => {
    it.each<[name: string, onInsert: Parameters<typeof proxyTo>[1], error: object]>([
      [
        'a server short of memory',
        (_, response) =>
          response.writeHead(500).end('Code: 241, e.displayText() = DB::Exception: Memory limit, e.what()'),
        { code: 'CLICKHOUSE_BUSY', retryable: true, message: expect.stringContaining(': Memory limit (ch_dsn ') },
      ],
      [
        'an answer that is not of ClickHouse',
        (_, response) => response.writeHead(502).end('<html>\nBad gateway</html>'),
        { code: 'CLICKHOUSE_UNREACHABLE', retryable: true, message: expect.stringContaining('<html> Bad gateway') },
      ],
      [
        'a connection reset in the body',
        (request) => request.once('data', () => request.socket.resetAndDestroy()),
        { code: 'CLICKHOUSE_UNREACHABLE', retryable: true },
      ],
      [
        'no answer after the body',
        (request) => request.resume(),
        { code: 'CLICKHOUSE_UNREACHABLE', retryable: true, message: expect.stringContaining('Timeout') },
      ],
      [
        'a body that is not taken',
        (request) => request.pause(),
        { code: 'CLICKHOUSE_UNREACHABLE', retryable: true, message: expect.stringContaining('Timeout') },
      ],
    ])('%s', async (_name, onInsert, error) => {
      await using proxy = await proxyTo(database, onInsert)
      const dsn = `tcp://127.0.0.1/${database.name}?http_port=${proxy.port}`
      await using archiver = createClickHouseArchiver({ dsn: `${dsn}&read_timeout=300ms`, takeoverWaitMs: 0 })
      // Its look-up has the patience that a busy machine needs.
      await using successor = createClickHouseArchiver({ dsn, takeoverWaitMs: 0 })
      await successor.prepare('failing')
      const rows = plainRows(60_000)
      const batch = batchOf('failing', rows)
      await expect(archiver.store(batch, chunksFromRows(rows), leaseUntil())).rejects.toMatchObject(error)
      expect(
        await successor.findStored(
          batch,
          batchSourceFrom(() => chunksFromRows(rows)),
          leaseUntil(),
        ),
      ).toEqual({ kind: 'none' })
    })
  })
})
