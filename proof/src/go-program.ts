import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import type { LogScore } from '@archiver/core'
import avsc from 'avsc'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import type { ArchiverName } from './archives.js'
import type { Cloud } from './cloud.js'
import { sourceRows } from './rows.js'
import type { Site } from './site.js'

/** The record as the Go program writes it: the logical type stands on the field, where readers do not look for it. */
const GO_SCHEMA = {
  type: 'record',
  name: 'logscore',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'server_id', type: 'int' },
    { name: 'monitor_id', type: 'int' },
    { name: 'ts', type: 'long', logicalType: 'timestamp-micros' },
    { name: 'score', type: 'float' },
    { name: 'step', type: 'float' },
    { name: 'offset', type: ['null', 'float'] },
    { name: 'rtt', type: ['null', 'int'] },
    { name: 'leap', type: ['null', 'int'] },
    { name: 'error', type: ['null', 'string'] },
  ],
}

/** The table as the Go program creates it. */
const GO_TABLE = `create table if not exists log_scores (
  dt Date, id UInt64, monitor_id UInt32, server_id UInt32, ts DateTime, score Float32, step Float32,
  offset Nullable(Float64), rtt Nullable(UInt32), leap Nullable(UInt8), warning Nullable(String), error Nullable(String)
) engine = MergeTree partition by dt order by (server_id, ts)`

export interface GoRun {
  readonly maxRows: number
  /** Batches until it is stopped. Default: until nothing waits. */
  readonly batches?: number
  /** Killed when the last of them is stored, before it is marked; or while it writes that file. */
  readonly dies?: 'before the mark' | 'writing'
}

/**
 * The Go program's steps, replayed as SQL, files and requests: it takes the lock, reads the rows after the mark in the
 * order of ids, stores them, then moves the mark. Nothing but the mark tells it what is stored.
 */
export class GoProgram {
  readonly #site: Site

  constructor(site: Site) {
    this.#site = site
  }

  async archive(archiver: ArchiverName, { maxRows, batches = Number.POSITIVE_INFINITY, dies }: GoRun): Promise<void> {
    const connection = await this.#site.mysql.connect()
    try {
      await takeLock(connection, `archiver-${this.#site.mysql.name}`)
      for (let left = batches; left > 0; left--) {
        const rows = await this.#waiting(archiver, maxRows)
        if (rows.length === 0) return
        await this.#store(archiver, rows, dies === 'writing' && left === 1)
        if (dies !== undefined && left === 1) return
        await mark(connection, archiver, rows.at(-1)!.id)
      }
    } finally {
      // As when it is killed: the server frees the lock.
      connection.destroy()
    }
  }

  async #waiting(archiver: ArchiverName, maxRows: number): Promise<LogScore[]> {
    const from = BigInt((await this.#site.marks())[archiver] ?? 0)
    return (await sourceRows(this.#site.connection)).filter(({ id }) => id > from).slice(0, maxRows)
  }

  async #store(archiver: ArchiverName, rows: readonly LogScore[], cutOff: boolean): Promise<void> {
    const { folder, clickhouse, places } = this.#site
    if (archiver === 'clickhouse') {
      await clickhouse.query(GO_TABLE)
      await clickhouse.query(`insert into log_scores format JSONEachRow\n${rows.map(clickHouseLine).join('\n')}`)
      return
    }
    const file = await avroFile(rows)
    const name = `${rows[0]!.tsSeconds}-${rows[0]!.id}.avro`
    if (archiver === 'fileavro') await writeFile(join(folder, name), cutOff ? file.subarray(0, -20) : file)
    else if (archiver === 'gcsavro') await putObject(places.cloud!, `${yearOf(rows[0]!)}/${name}`, file)
    else await load(places.cloud!, file)
  }
}

async function takeLock(connection: Connection, name: string): Promise<void> {
  const [rows] = await connection.query<RowDataPacket[]>('select get_lock(?, 1) taken', [name])
  if (rows[0]?.taken !== 1) throw new Error(`the lock ${name} is held`)
}

async function mark(connection: Connection, archiver: string, id: bigint): Promise<void> {
  const sql = 'update log_scores_archive_status set log_score_id = ?, modified_on = now() where archiver = ?'
  await connection.query(sql, [id, archiver])
}

/** It leaves the warning out. */
function clickHouseLine({
  id,
  monitorId,
  serverId,
  tsSeconds,
  score,
  step,
  offset,
  rtt,
  leap,
  error,
}: LogScore): string {
  const ts = new Date(tsSeconds * 1000).toISOString().slice(0, 19).replace('T', ' ')
  const ids = { id: Number(id), monitor_id: monitorId ?? 0, server_id: serverId }
  return JSON.stringify({ dt: ts.slice(0, 10), ...ids, ts, score, step, offset, rtt, leap, warning: null, error })
}

function avroRecord({ id, monitorId, serverId, tsSeconds, ...row }: LogScore): Record<string, unknown> {
  const { score, step, offset, rtt, leap, error } = row
  const ids = { id: Number(id), server_id: serverId, monitor_id: monitorId ?? 0, ts: tsSeconds * 1e6 }
  return { ...ids, score, step, offset, rtt, leap, error }
}

/** A container file of avsc's, without any metadata of ours and with a sync marker by chance. */
async function avroFile(rows: readonly LogScore[]): Promise<Buffer> {
  // avsc's type knows no field of which it does not know the key.
  const encoder = new avsc.streams.BlockEncoder(avsc.Type.forSchema(GO_SCHEMA as avsc.Schema), { codec: 'null' })
  for (const row of rows) encoder.write(avroRecord(row))
  encoder.end()
  return buffer(encoder)
}

function yearOf({ tsSeconds }: LogScore): number {
  return new Date(tsSeconds * 1000).getUTCFullYear()
}

async function putObject({ bucket }: Cloud, name: string, body: Buffer): Promise<void> {
  const query = `uploadType=media&name=${encodeURIComponent(name)}`
  await send(`${bucket.server.url}/upload/storage/v1/b/${bucket.name}/o?${query}`, 'avro/binary', body)
}

/** A load job with a name by chance, as Google's library for Go makes it. */
async function load({ bigQuery, dataset }: Cloud, file: Buffer): Promise<void> {
  const { url, projectId } = bigQuery
  const destinationTable = { projectId, datasetId: dataset, tableId: 'log_scores' }
  const jobId = `go${Math.random().toString(36).slice(2)}`
  const job = {
    jobReference: { projectId, jobId, location: 'europe-west2' },
    configuration: { load: { destinationTable, sourceFormat: 'AVRO', writeDisposition: 'WRITE_APPEND' } },
  }
  const boundary = 'go-program'
  const head = `--${boundary}\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(job)}\r\n--${boundary}\r\n`
  const body = [head, 'Content-Type: application/octet-stream\r\n\r\n', file, `\r\n--${boundary}--\r\n`]
  const path = `${url}/upload/bigquery/v2/projects/${projectId}/jobs?uploadType=multipart`
  await send(path, `multipart/related; boundary=${boundary}`, Buffer.concat(body.map((part) => Buffer.from(part))))
  await untilDone(`${url}/bigquery/v2/projects/${projectId}/jobs/${jobId}?location=europe-west2`)
}

async function untilDone(url: string): Promise<void> {
  for (;;) {
    const { status } = (await (await fetch(url)).json()) as { status: { state: string; errorResult?: unknown } }
    if (status.errorResult) throw new Error(JSON.stringify(status))
    if (status.state === 'DONE') return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function send(url: string, type: string, body: Buffer): Promise<void> {
  const init = { method: 'POST', headers: { 'content-type': type }, body: new Uint8Array(body) }
  const response = await fetch(url, init)
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`)
}
