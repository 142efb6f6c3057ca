import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { readAvroHeader, readLogScores, type SchemaVersion, writeLogScores } from '@archiver/avro'
import { batchOf } from '@archiver/conformance'
import {
  batchSourceFrom,
  chunksFromRows,
  type LogScore,
  leaseUntil,
  type PlannedBatch,
  type ReadableArchiver,
  rowsFromChunk,
} from '@archiver/core'
import { onTestFinished } from 'vitest'
import { createFileAvroArchiver } from './file-avro-archiver.js'
import type { FileAvroOptions } from './options.js'

export const table = 'log_scores'

/** The file that the Go program wrote, with its rows. */
export const goFile = join(import.meta.dirname, '../../avro/fixtures/1792454400-1000001.avro')

/** A folder of the test's own, removed after it. */
export async function testFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'file-avro-'))
  onTestFinished(() => rm(path, { recursive: true }))
  return path
}

/** An archiver that has its folder prepared. */
export async function prepared(path: string, options: Partial<FileAvroOptions> = {}): Promise<ReadableArchiver> {
  const archiver = createFileAvroArchiver({ path, ...options })
  await archiver.prepare(table)
  return archiver
}

export function batch(id: bigint, rows: readonly LogScore[], change: Partial<PlannedBatch> = {}): PlannedBatch {
  return { ...batchOf(table, 'fileavro', id, rows), ...change }
}

export function store(archiver: ReadableArchiver, planned: PlannedBatch, rows: readonly LogScore[]) {
  return archiver.store(planned, chunksFromRows(rows, 100), leaseUntil())
}

export function stored(archiver: ReadableArchiver, planned: PlannedBatch, rows: readonly LogScore[]) {
  return archiver.findStored(
    planned,
    batchSourceFrom(() => chunksFromRows(rows, 100)),
    leaseUntil(),
  )
}

export async function rowsIn(path: string): Promise<LogScore[]> {
  const rows: LogScore[] = []
  for await (const chunk of readLogScores(path)) rows.push(...rowsFromChunk(chunk))
  return rows
}

/** Names in a folder, sorted. */
export async function namesIn(path: string): Promise<string[]> {
  return (await readdir(path)).sort()
}

/** The bytes of an Avro file with each row replaced by those that `edit` makes of it; the header stays. */
export async function editRows(
  bytes: Buffer,
  edit: (row: LogScore) => readonly LogScore[],
  schema: SchemaVersion = 1,
): Promise<Buffer> {
  const { codec, metadata, sync } = await readAvroHeader(Readable.from([bytes]))
  const rows: LogScore[] = []
  for await (const chunk of readLogScores(Readable.from([bytes]))) rows.push(...rowsFromChunk(chunk).flatMap(edit))
  const parts: Buffer[] = []
  const write = async (part: Uint8Array) => parts.push(Buffer.from(part))
  await writeLogScores(chunksFromRows(rows), write, { codec, metadata, sync, schema })
  return Buffer.concat(parts)
}
