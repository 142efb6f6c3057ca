import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ordinaryRows } from '@archiver/conformance'
import { type ArchiveReader, type Archiver, chunksFromRows, type LogScore, leaseUntil } from '@archiver/core'
import { createFileAvroArchiver } from '@archiver/file-avro'
import { createScoresApi, type ScoresApiOptions } from './handler.js'

export const table = 'log_scores'

/** Rows of few servers, all of them more than a day ago. */
export const rows: LogScore[] = ordinaryRows(20_000).map((row, i) => ({
  ...row,
  tsSeconds: 1_700_000_000 + i * 60,
  serverId: 1 + (i % 4),
}))

export async function store(archiver: Archiver, some: readonly LogScore[]): Promise<void> {
  await archiver.prepare(table)
  const firstId = some[0]!.id
  const batch = { id: 1n, archiver: archiver.name, table, afterId: firstId - 1n, firstId, upToId: some.at(-1)!.id }
  await archiver.store(batch, chunksFromRows(some), leaseUntil())
}

/** An archive of files with these rows. */
export async function filesWith(some: readonly LogScore[]): Promise<ArchiveReader> {
  const path = await mkdtemp(join(tmpdir(), 'scores-api-'))
  const archiver = createFileAvroArchiver({ path })
  await store(archiver, some)
  return archiver.reader
}

export type ScoresServer = Awaited<ReturnType<typeof serve>>

/** A server on a free port. */
export async function serve(reader: ScoresApiOptions['reader'], options: Partial<ScoresApiOptions> = {}) {
  const scores = createScoresApi({ reader, table, ...options })
  const server = createServer(async (request, response) => {
    if (!(await scores(request, response))) response.writeHead(404).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // of a server that listens on a port
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: close }
}

/** An answer as the Go program's names have it. */
export function goRow({ id, serverId, monitorId, tsSeconds, score, step, offset, rtt, leap, error }: LogScore) {
  const attributes = { ...(leap === null ? {} : { leap }), ...(error === null ? {} : { error }) }
  return {
    id: Number(id),
    sid: serverId,
    mid: monitorId ?? 0,
    ts: tsSeconds,
    sc: score,
    st: step,
    of: offset,
    rtt,
    attributes,
  }
}
