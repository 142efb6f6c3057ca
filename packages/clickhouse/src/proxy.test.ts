import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { batchSourceFrom, chunksFromRows, leaseUntil } from '@archiver/core'
import { describeWithClickHouse } from '@archiver/testkit/vitest'
import { expect, it, onTestFinished } from 'vitest'
import { createClickHouseArchiver } from './archiver.js'
import { proxyTo } from './testing/clickhouse.js'
import { batchOf, plainRows } from './testing/rows.js'

const unreachable = expect.objectContaining({ code: 'CLICKHOUSE_UNREACHABLE', retryable: true })
const rows = plainRows(10)

function archiverAt(port: number, database = 'scores') {
  const archiver = createClickHouseArchiver({ dsn: `http://default:@127.0.0.1:${port}/${database}`, takeoverWaitMs: 1 })
  onTestFinished(() => archiver[Symbol.asyncDispose]())
  return archiver
}

it.each([200, 404])('an empty answer of a proxy with status %i does not say what the table has', async (status) => {
  const server = createServer((incoming, response) => {
    incoming.resume()
    const isPing = incoming.url?.startsWith('/ping')
    response.writeHead(isPing ? 200 : status).end(isPing ? 'Ok.\n' : '')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const archiver = archiverAt((server.address() as AddressInfo).port) // a listening TCP server has one
  await expect(archiver.pendingDdl!('scores')).rejects.toEqual(unreachable)
  if (status === 404) await expect(archiver.pendingDdl!('scores')).rejects.toThrow('an error without a text')
  await expect(archiver.prepare('scores')).rejects.toEqual(unreachable)
  const source = batchSourceFrom(() => chunksFromRows(rows, 10))
  await expect(archiver.findStored(batchOf('scores', rows), source, leaseUntil())).rejects.toEqual(unreachable)
})

await describeWithClickHouse('a proxy before ClickHouse', (database) => {
  it('that answers an insert with a page and status 200 has stored nothing', async () => {
    await using proxy = await proxyTo(database, (incoming, response) => {
      incoming.resume().on('end', () => response.end('<html>gateway</html>'))
    })
    const archiver = archiverAt(proxy.port, database.name)
    await archiver.prepare('paged')
    const storing = archiver.store(batchOf('paged', rows), chunksFromRows(rows, 10), leaseUntil())
    await expect(storing).rejects.toEqual(unreachable)
  })
})
