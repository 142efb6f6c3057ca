import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LogScore } from '@archiver/core'
import { type FakeBigQuery, spawnFakeBigQuery, type TableRow } from '@archiver/fake-bigquery'
import { createGcsBucket, type FakeGcsServer, type GcsBucket } from '@archiver/testkit'

/** A bucket and a data set of Google's, as emulators in processes of their own: they outlive whoever writes to them. */
export class Cloud {
  readonly bucket: GcsBucket
  readonly bigQuery: FakeBigQuery
  readonly dataset: string
  /** Settings that reach both. */
  readonly env: Readonly<Record<string, string>>

  private constructor(bucket: GcsBucket, bigQuery: FakeBigQuery, dataset: string) {
    this.bucket = bucket
    this.bigQuery = bigQuery
    this.dataset = dataset
    this.env = {
      gc_bucket: bucket.name,
      STORAGE_EMULATOR_HOST: bucket.server.url,
      bq_project: bigQuery.projectId,
      bq_dataset: dataset,
      BIGQUERY_EMULATOR_HOST: bigQuery.url,
    }
  }

  static async open(server: FakeGcsServer): Promise<Cloud> {
    return Cloud.beside(await spawnFakeBigQuery({ storageUrl: server.url }), server, 'proof')
  }

  /** A new bucket, and a new data set of an emulator that is there. */
  static async beside(bigQuery: FakeBigQuery, server: FakeGcsServer, dataset: string): Promise<Cloud> {
    const bucket = await createGcsBucket(server)
    // Outside of US and EU nothing finds a job without its location.
    await bigQuery.createDataset({ id: dataset, location: 'europe-west2' })
    return new Cloud(bucket, bigQuery, dataset)
  }

  /** Names of the bucket's objects that begin with `prefix`. */
  async objects(prefix = ''): Promise<string[]> {
    const listing = await this.#ask(`?maxResults=100000&prefix=${encodeURIComponent(prefix)}`)
    const { items = [] } = (await listing.json()) as { items?: { name: string }[] } // as Cloud Storage lists objects
    return items.map(({ name }) => name)
  }

  /** Copies objects into a folder. */
  async download(names: readonly string[], folder: string): Promise<void> {
    for (const name of names) {
      const object = await this.#ask(`/${encodeURIComponent(name)}?alt=media`)
      await writeFile(join(folder, name.replaceAll('/', '_')), Buffer.from(await object.arrayBuffer()))
    }
  }

  /** Puts an object there as another program would. */
  async put(name: string, text: string, metadata: Readonly<Record<string, string>>): Promise<void> {
    const { server, name: bucket } = this.bucket
    const head = `--part\r\ncontent-type: application/json\r\n\r\n${JSON.stringify({ name, metadata })}\r\n`
    const body = `${head}--part\r\ncontent-type: avro/binary\r\n\r\n${text}\r\n--part--\r\n`
    const headers = { 'content-type': 'multipart/related; boundary=part' }
    const url = `${server.url}/upload/storage/v1/b/${bucket}/o?uploadType=multipart`
    const response = await fetch(url, { method: 'POST', body, headers })
    if (!response.ok) throw new Error(`${name}: ${response.status} ${await response.text()}`)
  }

  async text(name: string): Promise<string> {
    return (await this.#ask(`/${encodeURIComponent(name)}?alt=media`)).text()
  }

  async remove(name: string): Promise<void> {
    await this.#ask(`/${encodeURIComponent(name)}`, { method: 'DELETE' })
  }

  /** All rows of a table of the data set, as the fake's own reader has them. */
  async tableRows(table: string): Promise<LogScore[]> {
    return (await this.bigQuery.rowsOf(this.dataset, table)).map(logScoreOf)
  }

  /** Removes all objects, the table, and BigQuery's memory of its jobs: a new catalogue counts its batches from one. */
  async empty(table: string): Promise<void> {
    for (const name of await this.objects()) await this.remove(name)
    await this.bigQuery.deleteTable(this.dataset, table).catch(() => undefined) // there may be none yet
    for (const { jobId, forgotten } of await this.bigQuery.jobs()) if (!forgotten) await this.bigQuery.forget(jobId)
  }

  async close(): Promise<void> {
    await this.bigQuery.close()
    await this.bucket.drop()
  }

  async #ask(path: string, init: RequestInit = {}): Promise<Response> {
    const { server, name } = this.bucket
    const response = await fetch(`${server.url}/storage/v1/b/${name}/o${path}`, init)
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response
  }
}

function logScoreOf(row: TableRow): LogScore {
  // INTEGER and TIMESTAMP come as bigint, FLOAT as number, STRING as text; the first six are never null here.
  const { id, server_id, monitor_id, ts, rtt, leap } = row as Record<string, bigint | null>
  const { score, step, offset, error } = row as { score: number; step: number; offset: number | null; error: string }
  const monitorId = Number(monitor_id)
  const rest = { score, step, offset, rtt: numberOf(rtt), leap: numberOf(leap), error, warning: null }
  return { id: id!, monitorId, serverId: Number(server_id), tsSeconds: Number(ts) / 1e6, ...rest }
}

function numberOf(value: bigint | null | undefined): number | null {
  return value == null ? null : Number(value)
}
