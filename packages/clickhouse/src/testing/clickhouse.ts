import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { LogScore } from '@archiver/core'
import type { ClickHouseDatabase } from '@archiver/testkit'
import { fromJson, type JsonRow, selectRows } from './read-back.js'

/** The `ch_dsn` of a test's database, as the Go program would write it. */
export function dsnOf({ server, name }: ClickHouseDatabase, parameters = ''): string {
  return `tcp://${server.host}:${server.tcpPort}/${name}?http_port=${server.httpPort}${parameters}`
}

/** What a table holds, read by the server's own JSON. */
export async function readTable(database: ClickHouseDatabase, table: string): Promise<LogScore[]> {
  const text = await database.query(`${selectRows(table)} ORDER BY id FORMAT JSONEachRow`)
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.map((line) => fromJson(JSON.parse(line) as JsonRow)) // the columns of selectRows
}

export interface OpenInsert {
  /** Leaves the server without the end of the body, as a process that dies does. */
  die(): void
}

/** Sends the beginning of an insert and no more. */
export function beginInsert(
  { server, name }: ClickHouseDatabase,
  sql: string,
  queryId: string,
  body: Iterable<Uint8Array>,
): OpenInsert {
  const query = new URLSearchParams({ database: name, query: sql, query_id: queryId })
  const sending = request(`${server.url}/?${query}`, { method: 'POST' })
  sending.on('error', () => {})
  for (const piece of body) sending.write(piece)
  return { die: () => sending.destroy() }
}

/** Resolves when the statement is seen to run, or to run no more. */
export async function untilRunning(database: ClickHouseDatabase, queryId: string, runs: boolean): Promise<void> {
  const sql = `SELECT count() FROM system.processes WHERE query_id = '${queryId}'`
  while (Number(await database.query(sql)) > 0 !== runs);
}

export interface Proxy extends AsyncDisposable {
  readonly port: number
}

/** A door to the server that passes everything but inserts, which `onInsert` answers; `pass` passes answers on. */
export async function proxyTo(
  { server }: ClickHouseDatabase,
  onInsert: (request: IncomingMessage, response: ServerResponse) => void,
  pass: (answer: IncomingMessage, response: ServerResponse) => void = (answer, response) => answer.pipe(response),
): Promise<Proxy> {
  const proxy = createServer((incoming, response) => {
    if (incoming.url?.includes('query=INSERT')) return onInsert(incoming, response)
    const { method = 'GET', headers } = incoming
    const passed = request(`${server.url}${incoming.url}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers)
      pass(answer, response)
    })
    incoming.pipe(passed)
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const { port } = proxy.address() as AddressInfo // a listening TCP server has one
  return {
    port,
    async [Symbol.asyncDispose]() {
      proxy.closeAllConnections()
      proxy.close()
    },
  }
}
