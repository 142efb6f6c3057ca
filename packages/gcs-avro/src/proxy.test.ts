import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ordinaryRows } from '@archiver/conformance'
import { afterEach, expect, test } from 'vitest'
import { createGcsAvroArchiver } from './gcs-avro-archiver.js'
import { batch, impatient, store, stored, testFolder } from './test-support.js'

const stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

/** An archiver that reaches a proxy instead of Cloud Storage: it gives the same page to every request. */
async function archiverBehindProxy(status: number, page = '<html>gateway</html>') {
  const server = createServer((incoming, response) => {
    incoming.resume()
    response.writeHead(status, { 'content-type': 'text/html' }).end(page)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a listening TCP server has one
  stops.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return createGcsAvroArchiver({
    bucket: 'scores',
    emulatorHost: `http://127.0.0.1:${port}`,
    spoolPath: await testFolder(),
    patience: impatient,
  })
}

test.each([200, 404])('a page of a proxy with status %i does not say what the bucket has', async (status) => {
  const archiver = await archiverBehindProxy(status)
  const refused = expect.objectContaining({ code: 'GCS_UNREACHABLE', retryable: true })
  await expect(archiver.prepare('log_scores')).rejects.toEqual(refused)
  const rows = ordinaryRows(3)
  await expect(store(archiver, batch(1n, rows), rows)).rejects.toThrow(/GCS_|Cloud Storage|cannot store/)
  await expect(stored(archiver, batch(1n, rows), rows)).rejects.toEqual(refused)
})
