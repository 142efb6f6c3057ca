import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { attributesJson, chunksFromRows, type LogScore, type LogScoreChunk, rowsFromChunk } from '@archiver/core'
import avsc from 'avsc'
import type { Codec } from './codec.js'
import { logScoreSchema, type SchemaVersion } from './schema.js'
import { writeLogScores } from './writer.js'

export const fixtures = join(import.meta.dirname, '..', 'fixtures')
export const sync = Buffer.from('0123456789abcdef')

/** avsc with ids as bigint, however large. */
export function avscType(schema: unknown = logScoreSchema): avsc.Type {
  const long = avsc.types.LongType.__with({
    fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
    toBuffer: (value: bigint) => {
      const buffer = Buffer.alloc(8)
      buffer.writeBigInt64LE(value)
      return buffer
    },
    fromJSON: BigInt,
    toJSON: String,
    isValid: (value: unknown) => typeof value === 'bigint',
    compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
  })
  // avsc's own types know neither a schema that is `as const` nor the class that __with makes.
  return avsc.Type.forSchema(schema as avsc.Schema, { registry: { long: long as unknown as avsc.Type } })
}

/** The record as avsc takes and gives it. */
export function avscRecord(row: LogScore): Record<string, unknown> {
  const { id, serverId, monitorId, tsSeconds, score, step, offset, rtt, leap, error } = row
  const ts = tsSeconds * 1_000_000
  return { id, server_id: serverId, monitor_id: monitorId ?? 0, ts, score, step, offset, rtt, leap, error }
}

/** The record of version 2 as avsc takes and gives it: plain longs are bigints there. */
export function exactAvscRecord(row: LogScore): Record<string, unknown> {
  const { serverId, monitorId, warning, json: attributes = attributesJson(row) } = row
  const ids = { server_id: BigInt(serverId), monitor_id: monitorId === null ? null : BigInt(monitorId) }
  return { ...avscRecord(row), ...ids, warning, attributes, schema_version: 2 }
}

export interface FileOptions {
  readonly schema?: SchemaVersion
  readonly codec?: Codec
  readonly rowsPerBlock?: number
  readonly rowsPerChunk?: number
  readonly metadata?: Readonly<Record<string, string>>
}

/** The rows as a file in memory. */
export async function fileOf(rows: readonly LogScore[], options: FileOptions = {}): Promise<Buffer> {
  const parts: Buffer[] = []
  const { rowsPerChunk = 100, ...rest } = options
  await writeLogScores(chunksFromRows(rows, rowsPerChunk), async (bytes) => parts.push(Buffer.from(bytes)), {
    ...rest,
    sync,
  })
  return Buffer.concat(parts)
}

/** Bytes as a stream of pieces. */
export async function* pieces(bytes: Buffer, length = bytes.length): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

export async function rowsOf(chunks: AsyncIterable<LogScoreChunk>): Promise<LogScore[]> {
  const rows: LogScore[] = []
  for await (const chunk of chunks) rows.push(...rowsFromChunk(chunk))
  return rows
}

/** The source rows of the file that the Go program wrote. */
export async function goRows(): Promise<LogScore[]> {
  const text = await readFile(join(fixtures, 'go-sample-rows.tsv'), 'utf8')
  return text.trimEnd().split('\n').map(goRow)
}

function goRow(line: string): LogScore {
  const cells = line.split('\t')
  const number = (index: number) => (cells[index] === 'NULL' ? null : Number(cells[index]))
  const json = cells[8]!
  const { leap, error, warning } = (json === 'NULL' ? {} : JSON.parse(json)) as Partial<LogScore> // of our own fixture
  return {
    id: BigInt(cells[0]!),
    monitorId: number(1),
    serverId: Number(cells[2]),
    tsSeconds: Number(cells[3]),
    score: Number(cells[4]),
    step: Number(cells[5]),
    offset: number(6),
    rtt: number(7),
    leap: leap || null,
    error: error || null,
    warning: warning || null,
  }
}
