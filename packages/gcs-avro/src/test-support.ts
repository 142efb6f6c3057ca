import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readLogScores } from '@archiver/avro'
import { batchOf } from '@archiver/conformance'
import {
  batchSourceFrom,
  chunksFromRows,
  type FaultPoint,
  type Lease,
  type LogScore,
  type LogScoreChunk,
  leaseUntil,
  type PlannedBatch,
  type ReadableArchiver,
  rowsFromChunk,
} from '@archiver/core'
import { type GcsBucket, type GcsProxy, startGcsProxy } from '@archiver/testkit'
import { onTestFinished } from 'vitest'
import { createGcsAvroArchiver } from './gcs-avro-archiver.js'
import type { GcsAvroOptions } from './options.js'

export const table = 'log_scores'

/** The file that the Go program wrote. */
export const goFile = join(import.meta.dirname, '../../avro/fixtures/1792454400-1000001.avro')

/** Waits as long as a test can bear. */
export const impatient = { firstWaitMs: 1, longestWaitMs: 2, answerLimitMs: 5_000 }

/** A folder of the test's own, removed after it. */
export async function testFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'gcs-avro-'))
  onTestFinished(() => rm(path, { recursive: true }))
  return path
}

/** An archiver on the bucket, with a spool of its own. */
export async function prepared(bucket: GcsBucket, options: Partial<GcsAvroOptions> = {}): Promise<ReadableArchiver> {
  const archiver = await opened(bucket, options)
  await archiver.prepare(table)
  return archiver
}

export async function opened(bucket: GcsBucket, options: Partial<GcsAvroOptions> = {}): Promise<ReadableArchiver> {
  const spoolPath = options.spoolPath ?? (await testFolder())
  return createGcsAvroArchiver({
    bucket: bucket.name,
    emulatorHost: bucket.server.url,
    spoolPath,
    patience: impatient,
    ...options,
  })
}

/** A proxy in front of the emulator, for this test. */
export async function proxyTo(bucket: GcsBucket): Promise<GcsProxy> {
  const proxy = await startGcsProxy(bucket.server.url)
  onTestFinished(() => proxy[Symbol.asyncDispose]())
  return proxy
}

export function batch(id: bigint, rows: readonly LogScore[], change: Partial<PlannedBatch> = {}): PlannedBatch {
  return { ...batchOf(table, 'gcsavro', id, rows), ...change }
}

export function store(archiver: ReadableArchiver, planned: PlannedBatch, rows: readonly LogScore[], lease?: Lease) {
  return archiver.store(planned, chunksFromRows(rows, 100), lease ?? leaseUntil())
}

export function stored(archiver: ReadableArchiver, planned: PlannedBatch, rows: readonly LogScore[]) {
  return archiver.findStored(
    planned,
    batchSourceFrom(() => chunksFromRows(rows, 100)),
    leaseUntil(),
  )
}

export async function rowsOf(chunks: AsyncIterable<LogScoreChunk>): Promise<LogScore[]> {
  const rows: LogScore[] = []
  for await (const chunk of chunks) rows.push(...rowsFromChunk(chunk))
  return rows
}

/** The rows of the Go program's file. */
export function goRows(): Promise<LogScore[]> {
  return rowsOf(readLogScores(goFile))
}

/** What happens at the places where faults may strike, in this test. */
export function onFault(hook: (point: FaultPoint) => void): void {
  const place: Record<symbol, unknown> = globalThis
  const key = Symbol.for('@archiver/fault')
  place[key] = hook
  onTestFinished(() => {
    delete place[key]
  })
}

/** An object as Cloud Storage itself describes it. */
export interface Resource {
  readonly name: string
  readonly size: string
  readonly crc32c: string
  readonly contentType: string
  readonly cacheControl?: string
  readonly generation: string
  readonly metadata?: Readonly<Record<string, string>>
}

/** All objects of a bucket by name, without our code. */
export async function resourcesIn({ server, name }: GcsBucket): Promise<Resource[]> {
  const response = await fetch(`${server.url}/storage/v1/b/${name}/o?maxResults=100000`)
  const { items = [] } = (await response.json()) as { items?: Resource[] } // of the emulator
  return items
}

export async function bytesOf({ server, name }: GcsBucket, object: string): Promise<Buffer> {
  const response = await fetch(`${server.url}/storage/v1/b/${name}/o/${encodeURIComponent(object)}?alt=media`)
  if (!response.ok) throw new Error(`${object}: ${response.status}`)
  return Buffer.from(await response.arrayBuffer())
}

/** Puts an object there as any other program would. */
export async function putObject(
  { server, name }: GcsBucket,
  object: string,
  bytes: Uint8Array,
  metadata?: Resource['metadata'],
): Promise<void> {
  const head = `--part\r\ncontent-type: application/json\r\n\r\n${JSON.stringify({ name: object, metadata })}\r\n`
  const body = Buffer.concat([
    Buffer.from(`${head}--part\r\ncontent-type: avro/binary\r\n\r\n`),
    bytes,
    Buffer.from('\r\n--part--\r\n'),
  ])
  const headers = { 'content-type': 'multipart/related; boundary=part' }
  const url = `${server.url}/upload/storage/v1/b/${name}/o?uploadType=multipart`
  const response = await fetch(url, { method: 'POST', body, headers })
  if (!response.ok) throw new Error(`${object}: ${response.status} ${await response.text()}`)
}

/** Empties the bucket. */
export async function removeObjects(bucket: GcsBucket): Promise<void> {
  for (const { name } of await resourcesIn(bucket)) await removeObject(bucket, name)
}

export async function removeObject({ server, name }: GcsBucket, object: string): Promise<void> {
  await fetch(`${server.url}/storage/v1/b/${name}/o/${encodeURIComponent(object)}`, { method: 'DELETE' })
}

/** The rows of every object of the table, read by nothing of this package. */
export async function rowsIn(bucket: GcsBucket, prefix = ''): Promise<LogScore[]> {
  const rows: LogScore[] = []
  for (const { name } of await resourcesIn(bucket)) {
    if (!name.startsWith(prefix)) continue
    const bytes = await bytesOf(bucket, name)
    rows.push(...(await rowsOf(readLogScores(pieces(bytes)))))
  }
  return rows
}

/** Bytes as a stream. */
export async function* pieces(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

/** Names in a folder. */
export function namesIn(path: string): Promise<string[]> {
  return readdir(path)
}
