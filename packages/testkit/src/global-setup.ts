import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestProject } from 'vitest/node'
import { startClickHouse } from './clickhouse-server.js'
import { messageOf, ServiceUnavailable } from './errors.js'
import { startFakeGcs } from './fake-gcs-server.js'
import { testMySql } from './mysql-server.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where test files ask for the servers they share. */
    archiverServersUrl: string
  }
}

interface Stoppable {
  stop(): Promise<void>
}

/**
 * A `globalSetup` of vitest: one MySQL and one ClickHouse server and one emulator of Cloud Storage for all test files of a
 * run, each started when a file first asks for it, stopped at the end of the run.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const services = {
    '/mysql': new SharedServer(testMySql),
    '/clickhouse': new SharedServer(startClickHouse),
    '/gcs': new SharedServer(startFakeGcs),
  }
  const broker = createServer((request, response) => {
    const service = services[request.url as keyof typeof services] // only `vitest.ts` asks
    void service.answer(response)
  }).listen(0, '127.0.0.1')
  await once(broker, 'listening')
  const { port } = broker.address() as AddressInfo // a listening TCP server has one
  project.provide('archiverServersUrl', `http://127.0.0.1:${port}`)
  return async () => {
    await Promise.all(Object.values(services).map((service) => service.stop()))
    broker.closeAllConnections()
    broker.close()
  }
}

class SharedServer {
  readonly #start: () => Promise<Stoppable>
  #server: Promise<Stoppable> | undefined

  constructor(start: () => Promise<Stoppable>) {
    this.#start = start
  }

  async answer(response: ServerResponse): Promise<void> {
    this.#server ??= this.#start()
    try {
      const { process: _, ...server } = { process: undefined, ...(await this.#server) }
      response.end(JSON.stringify(server))
    } catch (thrown) {
      if (thrown instanceof ServiceUnavailable) {
        const { reason, hint, alsoInCi } = thrown
        response.writeHead(404).end(JSON.stringify({ reason, hint, alsoInCi }))
      } else response.writeHead(500).end(messageOf(thrown))
    }
  }

  async stop(): Promise<void> {
    const server = await this.#server?.catch(() => undefined)
    await server?.stop()
  }
}
