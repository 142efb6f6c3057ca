import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BigQuery, type Job } from '@google-cloud/bigquery'
import avsc from 'avsc'
import { PassThroughClient } from 'google-auth-library'
import type { FakeBigQuery, TableField } from './contract.js'

/** A client that tries nothing twice. */
export function clientOf(fake: FakeBigQuery): BigQuery {
  const { url, projectId } = fake
  return new BigQuery({
    projectId,
    apiEndpoint: url,
    authClient: new PassThroughClient(),
    autoRetry: false,
    maxRetries: 0,
  })
}

export interface Row {
  readonly id: number
  readonly ts: number
  readonly score: number
  readonly error: string | null
}

const rowSchema = {
  type: 'record',
  name: 'row',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'ts', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'score', type: 'float' },
    { name: 'error', type: ['null', 'string'] },
  ],
} as const

/** What a table of these rows has, `ts` as it comes with logical types. */
export const rowFields: readonly TableField[] = [
  { name: 'id', type: 'INTEGER', mode: 'REQUIRED' },
  { name: 'ts', type: 'TIMESTAMP', mode: 'REQUIRED' },
  { name: 'score', type: 'FLOAT', mode: 'REQUIRED' },
  { name: 'error', type: 'STRING', mode: 'NULLABLE' },
]

export function rowsFrom(firstId: number, count: number): Row[] {
  return Array.from({ length: count }, (_, n) => ({
    id: firstId + n,
    ts: (1_700_000_000 + n) * 1_000_000,
    score: n / 4,
    error: n % 3 === 0 ? `it's "so" ${n}` : null,
  }))
}

/** A folder of Avro files for one test file. */
export class AvroFolder {
  readonly #folder: Promise<string> = mkdtemp(join(tmpdir(), 'bigquery-test-'))
  #next = 0

  async write(rows: readonly object[], schema: object = rowSchema, blockSize = 1000): Promise<string> {
    const path = join(await this.#folder, `${this.#next++}.avro`)
    const encoder = new avsc.streams.BlockEncoder(schema as avsc.Schema, { blockSize, writeHeader: 'always' }) // `as const` is too narrow for it
    const written = once(encoder.pipe(createWriteStream(path)), 'finish')
    for (const row of rows) encoder.write(row)
    encoder.end()
    await written
    return path
  }

  async remove(): Promise<void> {
    await rm(await this.#folder, { recursive: true })
  }
}

/** What a load is: the configuration of an Avro append, with more. */
export function loadOf(table: string, more: object = {}) {
  return {
    destinationTable: { projectId: 'test-project', datasetId: 'ntp', tableId: table },
    sourceFormat: 'AVRO',
    useAvroLogicalTypes: true,
    ...more,
  }
}

/** A multipart upload as the wire has it. */
export async function multipart(fake: FakeBigQuery, job: object, path: string): Promise<Response> {
  const body = Buffer.concat([
    Buffer.from(
      `--b\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(job)}\r\n--b\r\nContent-Type: */*\r\n\r\n`,
    ),
    await readFile(path),
    Buffer.from('\r\n--b--'),
  ])
  return fetch(`${fake.url}/upload/bigquery/v2/projects/test-project/jobs?uploadType=multipart`, {
    method: 'POST',
    headers: { 'content-type': 'multipart/related; boundary=b' },
    body,
  })
}

/** The job's resource once it is done. */
export async function ended(job: Job) {
  for (;;) {
    const [resource] = await job.getMetadata()
    if (resource.status.state === 'DONE') return resource
  }
}
