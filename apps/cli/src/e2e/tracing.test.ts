import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { describeWithMySql, sharedClickHouse } from '@archiver/testkit/vitest'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { loadedSources } from './loaded-sources.js'
import { Workplace } from './workplace.js'

await describeWithMySql('traces', { clickhouse: sharedClickHouse }, (database) => {
  let place: Workplace
  beforeAll(async () => {
    place = await Workplace.open(database)
  })
  beforeEach(() => place.reset(1_000))
  afterAll(() => place.close())

  test('of each batch go to the collector that OpenTelemetry names', async () => {
    const bodies: Buffer[] = []
    const server = createServer(async (request, response) => {
      bodies.push(Buffer.concat([Buffer.from(`${request.url} `), await buffer(request)]))
      response.writeHead(200).end()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo // it listens on TCP
    place.env.OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${port}`
    const run = await place.run('archive')
    expect(run.code).toBe(0)
    // Protobuf has its texts as they are.
    const sent = Buffer.concat(bodies).toString('latin1')
    for (const text of ['/v1/traces ', 'archive fileavro', 'archive clickhouse', 'read', 'encode', 'send', 'mark'])
      expect(sent).toContain(text)
    server.close()
  })

  test('are not made, and nothing of them loaded, where it names none', async () => {
    const sources = await loadedSources(place, 'archive')
    expect(sources.filter((file) => /opentelemetry|packages\/tracing/.test(file))).toEqual([])
  })
})
