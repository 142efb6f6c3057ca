import { type FakeBigQuery, spawnFakeBigQuery } from '@archiver/fake-bigquery'
import { createGcsBucket, type FakeGcsServer, type GcsBucket, startFakeGcs } from '@archiver/testkit'
import type { Variables } from './launcher.js'
import { orWhyNot } from './why-not.js'

/** Emulators of Google's services, each a process of its own on this machine. */
export class Cloud {
  readonly #gcs: FakeGcsServer | string
  readonly #bigQuery: FakeBigQuery
  #bucket: GcsBucket | undefined
  #datasets = 0

  private constructor(gcs: FakeGcsServer | string, bigQuery: FakeBigQuery) {
    this.#gcs = gcs
    this.#bigQuery = bigQuery
  }

  /** @param folder what the emulator of BigQuery is sent. It may be emptied at any time between runs, and must be there. */
  static async start(folder: string): Promise<Cloud> {
    const gcs = await orWhyNot(startFakeGcs())
    // Its rows are counted, and not decoded: nobody asks for them.
    return new Cloud(gcs, await spawnFakeBigQuery({ projectId: 'ntppool', decode: 'later', folder }))
  }

  /** Why there is no Cloud Storage on this machine. */
  get noStorage(): string | undefined {
    return typeof this.#gcs === 'string' ? this.#gcs : undefined
  }

  /** Settings for an empty bucket. The one before is gone then, and what it took of the emulator's memory. */
  async emptyBucket(): Promise<Variables> {
    if (typeof this.#gcs === 'string') throw new Error(this.#gcs)
    await this.#bucket?.drop()
    this.#bucket = await createGcsBucket(this.#gcs)
    return { STORAGE_EMULATOR_HOST: this.#gcs.url, gc_bucket: this.#bucket.name }
  }

  /** Settings for an empty data set, another than before: its jobs are remembered. */
  async emptyDataset(): Promise<Variables> {
    const id = `bench_${++this.#datasets}`
    await this.#bigQuery.createDataset({ id, location: 'US' })
    return { BIGQUERY_EMULATOR_HOST: this.#bigQuery.url, bq_dataset: id }
  }

  async close(): Promise<void> {
    if (typeof this.#gcs !== 'string') await this.#gcs.stop()
    await this.#bigQuery.close()
  }
}
