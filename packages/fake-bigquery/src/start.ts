import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from './connect.js'
import type { FakeBigQuery, FakeBigQueryOptions } from './contract.js'
import { FakeServer } from './server.js'

/** Starts the fake in this process (ClickHouse, once it is needed, in one of its own). */
export async function startFakeBigQuery(options: FakeBigQueryOptions = {}): Promise<FakeBigQuery> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'archiver-bigquery-')))
  const server = new FakeServer(folder, options)
  await server.listen(options.port ?? 0)
  const address = { url: server.url, projectId: server.service.projectId, pid: process.pid }
  return connect(address, async () => {
    await server.close()
    if (options.folder === undefined) await rm(folder, { recursive: true, force: true })
  })
}
