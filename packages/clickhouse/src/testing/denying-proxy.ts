import { once } from 'node:events'
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ClickHouseServer } from '@archiver/testkit'

/** A door to a server that refuses statements about some of its system tables, as one does that knows GRANT. */
export interface DenyingProxy extends AsyncDisposable {
  readonly port: number
  /** The statements that were refused. */
  readonly denied: readonly string[]
  /** Those that were passed on, inserts left out. */
  readonly passed: readonly string[]
}

export async function denyingProxyTo(server: ClickHouseServer, tables: readonly string[]): Promise<DenyingProxy> {
  const denied: string[] = []
  const passed: string[] = []
  const proxy = createServer(async (incoming, response) => {
    const { method = 'GET', headers, url = '/' } = incoming
    const to = request(`${server.url}${url}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(response)
    })
    to.on('error', () => response.destroy())
    if (url.includes('query=INSERT')) return void incoming.pipe(to)
    const sql = await bodyOf(incoming)
    const table = tables.find((name) => sql.includes(`system.${name}`))
    if (table === undefined) {
      passed.push(sql)
      return void to.end(sql)
    }
    denied.push(sql)
    to.destroy()
    response.writeHead(403, { 'X-ClickHouse-Exception-Code': '497' })
    response.end(
      `Code: 497. DB::Exception: archiver: Not enough privileges. To execute this query, it's necessary to have the grant SELECT ON system.${table}. (ACCESS_DENIED) (version 26.3.1.1)`,
    )
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const { port } = proxy.address() as AddressInfo // a listening TCP server has one
  return {
    port,
    denied,
    passed,
    async [Symbol.asyncDispose]() {
      proxy.closeAllConnections()
      proxy.close()
    },
  }
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of incoming) pieces.push(piece as Buffer) // no encoding is set
  return Buffer.concat(pieces).toString()
}
