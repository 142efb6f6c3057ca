import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LogScore } from '@archiver/core'
import { createGcsBucket, type FakeGcsServer, type GcsBucket, ServiceUnavailable } from '@archiver/testkit'
import { type FakeBigQuery, spawnFakeBigQuery, type TableRow } from '@archiver/testkit/bigquery'
import { sharedFakeGcs, skipOrFail } from '@archiver/testkit/vitest'

const DATASET = 'proof'

/** A bucket and a data set of Google's, as emulators in processes of their own: they outlive whoever writes to them. */
export class Cloud {
  readonly bucket: GcsBucket
  readonly bigQuery: FakeBigQuery
  readonly dataset = DATASET
  /** Settings that reach both. */
  readonly env: Readonly<Record<string, string>>

  private constructor(bucket: GcsBucket, bigQuery: FakeBigQuery) {
    this.bucket = bucket
    this.bigQuery = bigQuery
    this.env = {
      gc_bucket: bucket.name,
      STORAGE_EMULATOR_HOST: bucket.server.url,
      bq_project: bigQuery.projectId,
      bq_dataset: DATASET,
      BIGQUERY_EMULATOR_HOST: bigQuery.url,
    }
  }

  static async open(server: FakeGcsServer): Promise<Cloud> {
    const bucket = await createGcsBucket(server)
    const bigQuery = await spawnFakeBigQuery({ storageUrl: server.url })
    // Outside of US and EU nothing finds a job without its location.
    await bigQuery.createDataset({ id: DATASET, location: 'europe-west2' })
    return new Cloud(bucket, bigQuery)
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

  /** All rows of a table of the data set, as the fake's own reader has them. */
  async tableRows(table: string): Promise<LogScore[]> {
    return (await this.bigQuery.rowsOf(DATASET, table)).map(logScoreOf)
  }

  /** Removes all objects, the table, and BigQuery's memory of its jobs: a new catalogue counts its batches from one. */
  async empty(table: string): Promise<void> {
    for (const name of await this.objects()) await this.#ask(`/${encodeURIComponent(name)}`, { method: 'DELETE' })
    await this.bigQuery.deleteTable(DATASET, table).catch(() => undefined) // there may be none yet
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

/** The emulator of Cloud Storage that the test files share; undefined, and said, where none can be had. */
export async function gcsIfAny(): Promise<FakeGcsServer | undefined> {
  const found = await sharedFakeGcs().catch((thrown: unknown) => skipOrFail(thrown))
  return found instanceof ServiceUnavailable ? undefined : found
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
