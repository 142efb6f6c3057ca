import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createBigQueryArchiver } from './archiver.js'

const stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

/** An archiver that reaches a proxy instead of BigQuery: it gives the same page to every request. */
async function archiverBehindProxy(status: number, page = '<html>gateway</html>') {
  const server = createServer((incoming, response) => {
    incoming.resume()
    response.writeHead(status, { 'content-type': 'text/html' }).end(page)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a listening TCP server has one
  process.env.BIGQUERY_EMULATOR_HOST = `http://127.0.0.1:${port}`
  stops.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return createBigQueryArchiver({ projectId: 'ntppool', dataset: 'ntp', takeoverWaitMs: 1 })
}

test.each([200, 404])('a page of a proxy with status %i does not say what BigQuery has', async (status) => {
  const archiver = await archiverBehindProxy(status)
  const refused = expect.objectContaining({ code: 'BQ_UNREACHABLE', retryable: true })
  await expect(archiver.pendingDdl!('log_scores')).rejects.toEqual(refused)
  await expect(archiver.prepare('log_scores')).rejects.toEqual(refused)
})
